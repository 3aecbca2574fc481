import type { Thread } from "../../threads/thread.ts";
import { collectYoungGarbage } from "../collectGarbage.ts";
import { ConversionError } from "./converter.ts";
import type { ConverterProtocol, Refusal } from "./converterThread.ts";

/** Bytes that go to a converter at a time, and how many such buffers go to and fro. */
const bufferBytes = 1024 * 1024;
const buffersPerConversion = 3;
/** After so many buffers what the text came in is given back. */
const collectEvery = 8;

/**
 * Copies the text into buffers that go to the thread and come back: at most three MiB wait for it. Throws a
 * ConversionError, a ThreadEnded, or what reading the text throws.
 */
export async function feed(
  thread: Thread<ConverterProtocol>,
  symText: AsyncIterable<Uint8Array>,
): Promise<void> {
  const away: Promise<ArrayBuffer>[] = [];
  let buffer = new Uint8Array(bufferBytes);
  let length = 0;
  let sent = 0;
  const send = () => {
    if (++sent % collectEvery === 0) collectYoungGarbage();
    const pushed = accepted(thread.ask("push", { buffer: buffer.buffer, length }, [buffer.buffer]));
    const back = pushed.then((answer) => answer.buffer);
    // Its failure is found when the buffer is waited for; until then it is not unhandled.
    back.catch(() => {});
    away.push(back);
  };
  for await (let piece of symText) {
    while (piece.length > 0) {
      const copied = piece.subarray(0, bufferBytes - length);
      buffer.set(copied, length);
      length += copied.length;
      piece = piece.subarray(copied.length);
      if (length === bufferBytes) {
        send();
        const back = away.length < buffersPerConversion ? undefined : await away.shift();
        buffer = back ? new Uint8Array(back) : new Uint8Array(bufferBytes);
        length = 0;
      }
    }
  }
  send();
  await Promise.all(away);
}

/** A step's answer. Throws a ConversionError where the thread refused it. */
export async function accepted<Answer>(step: Promise<Answer>): Promise<Exclude<Answer, Refusal>> {
  const answer = await step;
  if (isRefusal(answer)) throw new ConversionError(answer.refusal.reason, answer.refusal.message);
  return answer as Exclude<Answer, Refusal>;
}

function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "refusal" in answer;
}
