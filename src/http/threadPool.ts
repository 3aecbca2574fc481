import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { deflateRaw } from "node:zlib";

const timeoutMs = 250;
const compress = promisify<Buffer, Buffer>(deflateRaw);
let probe: Promise<true> | undefined;

/** Whether libuv's threads respond. They also compress, and all of them hang while the disk does. */
export async function threadPoolResponds(): Promise<boolean> {
  probe ??= compress(Buffer.alloc(0)).then(() => {
    probe = undefined;
    return true;
  });
  return await Promise.race([probe, setTimeout(timeoutMs, false, { ref: false })]);
}
