import { AnswerTooLarge, type Locations } from "./locations.ts";

/** Rows that a result may have; the crate has the same limit. */
const maxRows = 2 ** 24;

/** Joins the locations of consecutive pieces of a list of offsets. Throws an AnswerTooLarge. */
export function joinLocations(pieces: Locations[]): Locations {
  const [first] = pieces;
  if (first && pieces.length === 1) return first;
  const rows = sum(pieces.map(({ rowStarts }) => rowStarts.length));
  if (rows > maxRows) throw new AnswerTooLarge();
  const offsets = sum(pieces.map(({ ends }) => ends.length));
  const textBytes = sum(pieces.map(({ text }) => text.length));
  const buffer = new ArrayBuffer(4 * (3 * offsets + 1 + 3 * rows) + textBytes);
  let end = 0;
  const column = (length: number) => {
    const numbers = new Uint32Array(buffer, end, length);
    end += numbers.byteLength;
    return numbers;
  };
  const joined = {
    starts: column(offsets + 1),
    functionStarts: column(offsets),
    rowStarts: column(rows),
    functionEnds: column(rows),
    rowEnds: column(rows),
    ends: column(offsets),
    text: new Uint8Array(buffer, end),
  };
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
