import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { constants, deflate, gzip, gzipSync, zstdCompress } from "node:zlib";
import { startTestService } from "../support/service.ts";
import { SymbolServer, type Script } from "../support/symbolServer.ts";
import { syntheticModule } from "../support/syntheticModule.ts";

const [gzipped, zlib, zstd] = [promisify(gzip), promisify(deflate), promisify(zstdCompress)];
const checksum = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };

type Encode = (text: Buffer) => Promise<Buffer>;

const formats: Record<string, Encode> = {
  "plain text": async (text) => text,
  gzip: gzipped,
  "gzip twice": async (text) => await gzipped(await gzipped(text)),
  "gzip in many members": async (text) =>
    Buffer.concat(
      text
        .toString()
        .match(/.{1,50}/gs)
        ?.map((part) => gzipSync(part)) ?? [],
    ),
  zlib,
  "zlib with the least compression": (text) => promisify(deflate)(text, { level: 1 }),
  "zlib without compression": (text) => promisify(deflate)(text, { level: 0 }),
  zstd,
  "zstd with a checksum": (text) => promisify(zstdCompress)(text, checksum),
  "zstd in two frames": async (text) =>
    Buffer.concat([await zstd(text.subarray(0, 99)), await zstd(text.subarray(99))]),
  "zstd in gzip": async (text) => gzipped(await zstd(text)),
};

const contentEncodings = [
  undefined, "", "identity", "none", "gzip", "GZIP", "x-gzip", "gzip, gzip", "deflate", "zstd", "br", "compress", "aws-chunked",
  "aws-chunked,gzip", "utf-8", "UTF-8", "binary", "snappy", "gzip;q=1", "*", "\u00e9",
]; // prettier-ignore

type Framing = (socket: Socket, head: string, body: Buffer, cutBytes: number) => void;

/** How the end of a body is marked. With `cutBytes` the connection closes that much before it. */
const framings: Record<string, Framing> = {
  "a length": (socket, head, body, cutBytes) => {
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n`);
    socket.end(body.subarray(0, body.length - cutBytes));
  },
  "chunks of a byte": (socket, head, body, cutBytes) => {
    const chunks = [...body.subarray(0, body.length - cutBytes)].map((byte) =>
      Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a]),
    );
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    socket.end(Buffer.concat([...chunks, Buffer.from(cutBytes > 0 ? "" : "0\r\n\r\n")]));
  },
  "the end of the connection": (socket, head, body, cutBytes) => {
    socket.write(`${head}\r\n`);
    socket.end(body.subarray(0, body.length - cutBytes));
  },
};

interface Variant {
  /** For messages. */
  what: string;
  format: string;
  framing: Framing;
  contentEncoding?: string | undefined;
  cutBytes?: number;
  /** Changes the encoded body. */
  damage?: (body: Buffer) => Buffer;
}

const scripts = new Map<string, Script>();
const server = await SymbolServer.start(async (socket, path) => scripts.get(path)?.(socket, path));
const service = await startTestService({
  ELIOT_SYMBOLS_URLS: server.url,
  "sources.downloadAttempts": "1",
  "sources.breakerCooldownMs": "0",
});
after(async () => {
  await service[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** What the service makes of each variant, all in one request. */
async function statuses(variants: Variant[]): Promise<Record<string, string | undefined>> {
  const asked = scripts.size;
  const modules = variants.map((_, index) => syntheticModule(`module${asked + index}.so`, 20));
  for (const [index, { path, symFile }] of modules.entries()) {
    const { format, framing, contentEncoding, cutBytes = 0, damage } = variants[index]!;
    scripts.set(path, async (socket) => {
      const body = await formats[format]!(Buffer.from(symFile));
      const header = contentEncoding === undefined ? "" : `Content-Encoding: ${contentEncoding}\r\n`;
      const head = `HTTP/1.1 200 OK\r\nConnection: close\r\n${header}`;
      framing(socket, head, damage?.(body) ?? body, cutBytes);
    });
  }
  const { results, debug } = await service.symbolicate({
    memoryMap: modules.map(({ name, id }) => [name, id]),
    stacks: [modules.map(({ frames }, index) => [index, frames[0]!.offset])],
  });
  return Object.fromEntries(
    variants.map(({ what }, index) => {
      const { key, frames } = modules[index]!;
      const called = results[0]?.stacks[0]?.[index]?.["function"];
      const { status } = debug.modules.status_per_module[key]!;
      return [what, called === undefined ? status : called === frames[0]!.function ? "right" : "wrong"];
    }),
  );
}

function every<Status extends string>(variants: Variant[], status: Status): Record<string, Status> {
  return Object.fromEntries(variants.map(({ what }) => [what, status]));
}

for (const format of Object.keys(formats)) {
  test(`reads ${format}, whatever Content-Encoding says`, async () => {
    // Each of them with one of the framings: those don't depend on each other.
    const variants = contentEncodings.map((contentEncoding, index) => {
      const ends = Object.entries(framings);
      const [end, framing] = ends[index % ends.length]!;
      return { what: `until ${end}, ${JSON.stringify(contentEncoding)}`, format, framing, contentEncoding };
    });
    assert.deepEqual(await statuses(variants), every(variants, "right"));
  });

  test(`detects that ${format} is cut short`, async () => {
    const isCompressed = format !== "plain text";
    const cuts = Object.entries(framings).flatMap(([end, framing]) =>
      [1, 3, 9, 15].map((cutBytes) => ({ what: `${cutBytes} before ${end}`, format, framing, cutBytes })),
    );
    // A server may have only part of the file itself. Text then ends like any other.
    const stored = Object.entries(isCompressed ? framings : {}).flatMap(([end, framing]) =>
      [1, 3, 9, 15].map((length) => ({
        what: `${length} less in the body until ${end}`,
        format,
        framing,
        damage: (body: Buffer) => body.subarray(0, -length),
      })),
    );
    const variants = [...cuts, ...stored];
    assert.deepEqual(await statuses(variants), every(variants, "download_failed"));
  });
}

test("treats a body that is neither a sym file nor in a known compression as a failed download", async () => {
  const bodies = {
    nothing: "",
    "a byte": "\u001f",
    "a login page": "<!doctype html><title>Sign in</title>",
    "gzip of a login page": gzipSync("<!doctype html>"),
    "gzip of nothing": gzipSync(""),
    "gzip three times": gzipSync(gzipSync(gzipSync("MODULE Linux x86_64 0 a.so\n"))),
    "a zip file": Buffer.from("504b03041400000000", "hex"),
    bzip2: "BZh91AY&SY",
    xz: Buffer.from("fd377a585a000004", "hex"),
    "only a gzip header": Buffer.from("1f8b", "hex"),
    "only a zstd header": Buffer.from("28b52ffd", "hex"),
    "only a zlib header": Buffer.from("789c", "hex"),
    "UTF-16": Buffer.from("\ufeffMODULE Linux", "utf16le"),
  };
  const variants = Object.entries(bodies).map(([what, body]) => ({
    what,
    format: "plain text",
    framing: framings["a length"]!,
    damage: () => Buffer.from(body),
  }));
  assert.deepEqual(await statuses(variants), every(variants, "download_failed"));
});
