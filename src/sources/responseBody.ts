import type { Dispatcher } from "undici";
import { decompress } from "./decompress.ts";
import { DownloadError, networkError } from "./downloadError.ts";
import type { SymText } from "./source.ts";

/** The sym file in the body of a response, which may have `maxBytes` as sent. Throws a DownloadError. */
export function symTextOf({ body, headers }: Dispatcher.ResponseData, maxBytes: number): SymText {
  // Readers get the errors of the body. Once it is abandoned they don't matter.
  body.on("error", () => {});
  const rejection = tooLarge(Number(headers["content-length"] ?? 0), maxBytes);
  if (rejection) {
    body.destroy();
    throw rejection;
  }
  const lengthIsKnown = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
  return {
    // The header Content-Encoding of object stores is often wrong.
    pieces: decompress(received(body, maxBytes), lengthIsKnown ? undefined : endingInNewline),
    async [Symbol.asyncDispose]() {
      body.destroy();
    },
  };
}

async function* received(body: Dispatcher.ResponseData["body"], maxBytes: number): AsyncIterable<Uint8Array> {
  let bytes = 0;
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      bytes += piece.length;
      const rejection = tooLarge(bytes, maxBytes);
      if (rejection) throw rejection;
      yield piece;
    }
  } catch (error) {
    throw error instanceof DownloadError ? error : networkError("the sym file", error, { isOfBody: true });
  }
}

function tooLarge(bytes: number, maxBytes: number): DownloadError | undefined {
  if (bytes <= maxBytes) return undefined;
  return new DownloadError("too_large", `the download has more than ${maxBytes} bytes`);
}

/** If only the closed connection marks the end, the text may be truncated. Complete sym files end with a newline. */
async function* endingInNewline(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let last: number | undefined;
  for await (const piece of pieces) {
    last = piece.at(-1) ?? last;
    yield piece;
  }
  if (last !== 0x0a)
    throw new DownloadError("failed", "the connection closed in the middle of a line", {
      isTransient: true,
      isOfBody: true,
    });
}
