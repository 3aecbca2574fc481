import { randomFill } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

const timeoutMs = 250;
const runInThreadPool = promisify<Buffer, Buffer>(randomFill);
let probe: Promise<true> | undefined;

/** Whether libuv's threads respond. They also compress, and all of them hang while the disk does. */
export async function threadPoolResponds(): Promise<boolean> {
  probe ??= runInThreadPool(Buffer.alloc(1)).then(() => {
    probe = undefined;
    return true;
  });
  return await Promise.race([probe, setTimeout(timeoutMs, false, { ref: false })]);
}
