import { randomNumbers, type SymFile } from "./symFile.ts";

/** Generates request bodies with frames spread over the given sym files. */
export function requests(symFiles: SymFile[], framesPerModule: number, seed = 7): () => string {
  const random = randomNumbers(seed);
  const memoryMap = symFiles.map(({ debugFilename, debugId }) => [debugFilename, debugId]);
  return () => {
    const stacks = symFiles.map((symFile, module) =>
      Array.from({ length: framesPerModule }, () => [module, offsetIn(symFile, random)]),
    );
    return JSON.stringify({ memoryMap, stacks });
  };
}

/** Offsets spread over a sym file's functions. */
export function offsets(symFile: SymFile, count: number, seed = 7): number[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => offsetIn(symFile, random));
}

function offsetIn({ end }: SymFile, random: (n: number) => number): number {
  return 0x1000 + random(end - 0x1000);
}

/** Throws unless at least 90 % of the frames have a function; offsets may fall into the gaps between functions. */
export function checkResponse(response: string, body: string): void {
  const found = response.split('"function_offset"').length - 1;
  const frames = (JSON.parse(body) as { stacks: unknown[][] }).stacks.flat().length;
  if (found < 0.9 * frames)
    throw new Error(`${found} of ${frames} frames have a function: ${response.slice(0, 500)}`);
}
