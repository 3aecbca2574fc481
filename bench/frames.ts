import { randomNumbers, type SymFile } from "./symFile.ts";

/** Bodies of requests with frames anywhere in some sym files; another body each time. */
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

/** Offsets anywhere in a sym file's functions. */
export function offsets(symFile: SymFile, count: number, seed = 7): number[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => offsetIn(symFile, random));
}

function offsetIn({ end }: SymFile, random: (n: number) => number): number {
  return 0x1000 + random(end - 0x1000);
}

/** Throws unless nearly all frames of a request have a function in its answer. Functions have small gaps between them. */
export function checkResponse(answer: string, body: string): void {
  const found = answer.split('"function_offset"').length - 1;
  const frames = (JSON.parse(body) as { stacks: unknown[][] }).stacks.flat().length;
  if (found < 0.9 * frames)
    throw new Error(`${found} of ${frames} frames were found: ${answer.slice(0, 500)}`);
}
