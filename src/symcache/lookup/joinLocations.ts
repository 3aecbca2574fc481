import { ResultTooLarge, emptyLocations, type Locations } from "./locations.ts";

/** Rows that a result may have; the crate has the same limit. */
const maxRows = 2 ** 24;

/** Joins the locations of consecutive pieces of a list of offsets. Throws a ResultTooLarge. */
export function joinLocations(pieces: Locations[]): Locations {
  const [first] = pieces;
  if (first && pieces.length === 1) return first;
  const rows = sum(pieces.map(({ rowStarts }) => rowStarts.length));
  if (rows > maxRows) throw new ResultTooLarge();
  const offsets = sum(pieces.map(({ ends }) => ends.length));
  const textBytes = sum(pieces.map(({ text }) => text.length));
  const joined = emptyLocations(offsets, rows, textBytes);
  let [offset, row, byte] = [0, 0, 0];
  for (const piece of pieces) {
    add(joined.starts, piece.starts, offset, row);
    joined.functionStarts.set(piece.functionStarts, offset);
    for (const name of ["rowStarts", "functionEnds", "rowEnds"] as const)
      add(joined[name], piece[name], row, byte);
    add(joined.ends, piece.ends, offset, byte);
    joined.text.set(piece.text, byte);
    offset += piece.ends.length;
    row += piece.rowStarts.length;
    byte += piece.text.length;
  }
  return joined;
}

/** Copies numbers to a position, each with `added`. */
function add(into: Uint32Array, numbers: Uint32Array, position: number, added: number): void {
  for (let i = 0; i < numbers.length; i++) into[position + i] = (numbers[i] ?? 0) + added;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
