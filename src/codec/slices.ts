/** Bytes of a slice. */
export const sliceBytes = 64 * 1024;
/** Slices that are kept for later answers: 8 MiB. */
const mostSpare = 128;

const spare: Buffer[] = [];

/** Memory that an answer is written into. New memory for each would keep the garbage collector and the kernel busy. */
export function takeSlice(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(sliceBytes);
}

/** Gives memory back that nobody reads any more. */
export function giveBackSlice(slice: Buffer): void {
  if (spare.length < mostSpare) spare.push(slice);
}
