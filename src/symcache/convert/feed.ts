import type { Thread } from "../../threads/thread.ts";
import { collectYoungGarbage } from "../collectGarbage.ts";
import { ConversionError } from "./converter.ts";
import type { ConverterProtocol, Rejection } from "./converterThread.ts";

/** Size and number of the buffers that circulate between this thread and the converter. */
const bufferBytes = 1024 * 1024;
const buffersPerConversion = 3;
/** Buffers between two collections of the young generation, which holds the chunks that the text arrived in. */
const collectionInterval = 8;

/**
 * Copies the text into buffers that are transferred to the thread and back, so that at most 3 MiB wait. Throws a
 * ConversionError, a ThreadEnded, or an error of reading the text.
 */
export async function feed(
  thread: Thread<ConverterProtocol>,
  symText: AsyncIterable<Uint8Array>,
): Promise<void> {
  const inFlight: Promise<ArrayBuffer>[] = [];
  let buffer = new Uint8Array(bufferBytes);
  let length = 0;
  let sent = 0;
  const send = () => {
    if (++sent % collectionInterval === 0) collectYoungGarbage();
    const pushed = accepted(thread.ask("push", { buffer: buffer.buffer, length }, [buffer.buffer]));
    const back = pushed.then((reply) => reply.buffer);
    // Errors are handled when the buffer is awaited.
    back.catch(() => {});
    inFlight.push(back);
  };
  for await (let piece of symText) {
    while (piece.length > 0) {
      const copied = piece.subarray(0, bufferBytes - length);
      buffer.set(copied, length);
      length += copied.length;
      piece = piece.subarray(copied.length);
      if (length === bufferBytes) {
        send();
        const back = inFlight.length < buffersPerConversion ? undefined : await inFlight.shift();
        buffer = back ? new Uint8Array(back) : new Uint8Array(bufferBytes);
        length = 0;
      }
    }
  }
  send();
  await Promise.all(inFlight);
}

/** The reply to a step. Throws a ConversionError if the thread rejected it. */
export async function accepted<Value>(step: Promise<Value>): Promise<Exclude<Value, Rejection>> {
  const reply = await step;
  if (isRejection(reply)) throw new ConversionError(reply.rejection.reason, reply.rejection.message);
  return reply as Exclude<Value, Rejection>;
}

function isRejection(reply: unknown): reply is Rejection {
  return typeof reply === "object" && reply !== null && "rejection" in reply;
}
