import { setTimeout } from "node:timers/promises";
import type { DestinationStream } from "pino";

/** Bytes of the log that wait for whoever reads it; what comes then is lost. */
const mostUnread = 16e6;
/** Milliseconds that the log may take to be read to its end. */
const patience = 1000;

/**
 * Standard output for the log. Whoever reads it may be slow, stop to read or be gone: that must not hold the service up, nor
 * its end.
 */
export function standardOutput(lifetimes: AsyncDisposableStack): DestinationStream {
  const { stdout } = process;
  stdout.on("error", () => {});
  lifetimes.defer(async () => {
    const flushed = new Promise<void>((resolve) => void stdout.write("", () => resolve()));
    await Promise.race([flushed, setTimeout(patience, undefined, { ref: false })]);
  });
  return {
    write(line) {
      if (stdout.writableLength < mostUnread) stdout.write(line);
    },
  };
}
