import type { Transferable } from "node:worker_threads";

/** The buffers of all typed arrays in parsed jobs, which a worker thread transfers instead of copying. */
export function columnBuffers(value: object): Transferable[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  return Object.values(value).flatMap((part: object) => columnBuffers(part));
}
