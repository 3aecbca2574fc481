import { setTimeout } from "node:timers/promises";
import type { DestinationStream } from "pino";

/** Buffered log output; lines beyond it are dropped. */
const maxBufferedBytes = 16e6;
const flushTimeoutMs = 1000;

/** Standard output for the log. A slow, stopped or missing reader must block neither the service nor its shutdown. */
export function standardOutput(lifetimes: AsyncDisposableStack): DestinationStream {
  const { stdout } = process;
  stdout.on("error", () => {});
  lifetimes.defer(async () => {
    const flushed = new Promise<void>((resolve) => void stdout.write("", () => resolve()));
    await Promise.race([flushed, setTimeout(flushTimeoutMs, undefined, { ref: false })]);
  });
  return {
    write(line) {
      if (stdout.writableLength < maxBufferedBytes) stdout.write(line);
    },
  };
}
