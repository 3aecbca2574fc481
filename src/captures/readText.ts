import { UnreadableCapture } from "./unreadableCapture.ts";
import { openOnlyFile } from "./zip.ts";

/** The longest string of a browser has 2^29 − 24 characters. */
const maxTextBytes = 500e6;

/** The text of a file: plain, gzipped, or alone in a zip file. Throws an UnreadableCapture. */
export async function readText(file: Blob): Promise<string> {
  const start = new Uint8Array(await readable(file.slice(0, 4).arrayBuffer()));
  const startsWith = (...bytes: number[]) => bytes.every((byte, at) => start[at] === byte);
  if (startsWith(0x1f, 0x8b)) return await decode(file.stream().pipeThrough(new DecompressionStream("gzip")));
  // A zip file without any file starts with its end.
  if (startsWith(0x50, 0x4b, 3, 4) || startsWith(0x50, 0x4b, 5, 6))
    return await decode(await readable(openOnlyFile(file)));
  if (startsWith(0x28, 0xb5, 0x2f, 0xfd)) throw notDecompressed("zstd");
  if (file instanceof File && file.name.endsWith(".br")) throw notDecompressed("Brotli");
  return await decode(file.stream());
}

async function decode(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let bytes = 0;
  let text = "";
  try {
    const decoder = new TextDecoder();
    const reader = stream.getReader();
    for (let next; !(next = await reader.read()).done;) {
      bytes += next.value.length;
      if (bytes > maxTextBytes) {
        await reader.cancel();
        throw new UnreadableCapture(
          `This has over ${maxTextBytes / 1e6} MB, too much for a browser. Use the command line: tseliot symbolicate FILE.`,
        );
      }
      text += decoder.decode(next.value, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof TypeError)
      throw new UnreadableCapture(
        "The gzipped or zipped file is damaged or cut short. Download or export it again.",
        {
          cause: error,
        },
      );
    return await readable(Promise.reject(error as Error));
  }
}

function notDecompressed(format: string): UnreadableCapture {
  return new UnreadableCapture(
    `This is compressed by ${format}. Decompress it first, or use the command line: tseliot symbolicate FILE.`,
  );
}

async function readable<Value>(read: Promise<Value>): Promise<Value> {
  return await read.catch((error: unknown) => {
    if (!(error instanceof DOMException)) throw error;
    throw new UnreadableCapture("The browser can’t read this. Choose a file, not a folder.", {
      cause: error,
    });
  });
}
