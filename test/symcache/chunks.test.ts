/** Chunks of symcache files as the shared cache has them. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gunzipSync, zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { moduleId } from "../../src/identity/moduleId.ts";
import { Chunks } from "../../src/sharedCache/chunks.ts";
import { chunkBytes, symcacheHeaderBytes } from "../../src/sharedCache/packedHeader.ts";
import { SymcacheDamaged } from "../../src/symcache/symcache.ts";
import { convert, wasm } from "../support/symFile.ts";

const chunks = new Chunks(wasm);

/** Bytes that begin as a symcache does, with these numbers of records, whether or not they follow. */
const file = fc
  .tuple(
    fc.tuple(fc.nat(40), fc.nat(40), fc.nat(200), fc.nat(200), fc.nat(400)),
    fc.array(fc.oneof(fc.nat(5), fc.nat(3000), fc.nat(2 ** 32 - 1), fc.constant(2 ** 32 - 1)), {
      minLength: 20,
      maxLength: 3000,
    }),
  )
  .map(([counts, words]) => {
    const numbers = Uint32Array.from(words);
    numbers.set(counts, 11);
    return new Uint8Array(numbers.buffer);
  });

test("decompresses what it compressed, whatever the content and the chunks", () => {
  fc.assert(
    fc.property(file, fc.integer({ min: 1, max: 8000 }), (bytes, length) => {
      const header = bytes.slice(0, symcacheHeaderBytes);
      for (let at = 0; at < bytes.length; at += length) {
        const chunk = bytes.subarray(at, at + length);
        const { frame, packed } = chunks.pack(header, at, chunk);
        const unpacked = chunks.unpack(header, { at, length: chunk.length, frame, packed });
        assert.equal(Buffer.compare(unpacked.chunk, chunk), 0);
      }
    }),
  );
});

test("decompresses or rejects invalid data in place of a frame, and continues", () => {
  const header = new Uint8Array(symcacheHeaderBytes);
  const length = fc.integer({ min: 0, max: 5000 });
  const held = fc.uint8Array({ maxLength: 5000 });
  fc.assert(
    fc.property(file, held, length, fc.boolean(), (bytes, content, size, isFrame) => {
      const frame = isFrame ? zstdCompressSync(content) : content;
      const symcacheHeader = bytes.slice(0, symcacheHeaderBytes);
      try {
        chunks.unpack(symcacheHeader, { at: 0, length: size, frame, packed: content.length });
      } catch (error) {
        assert.ok(error instanceof SymcacheDamaged, String(error));
      }
    }),
  );
  const { frame, packed } = chunks.pack(header, 0, header);
  const { chunk } = chunks.unpack(header, { at: 0, length: header.length, frame, packed });
  assert.equal(Buffer.compare(chunk, header), 0);
});

test("allocates no more memory for a frame than its header says", () => {
  const header = new Uint8Array(symcacheHeaderBytes);
  const frame = zstdCompressSync(Buffer.alloc(1e9));
  const before = process.memoryUsage().rss;
  assert.throws(() => chunks.unpack(header, { at: 0, length: 80, frame, packed: 1000 }), SymcacheDamaged);
  assert.ok(process.memoryUsage().rss - before < 100e6);
});

test("compresses a real module's symcache to less than 15 %", async () => {
  const debugId = "0CEFB84AE0DEB3F9900D2B90425BB3280";
  const path = `../fixtures/conformance/symbols/libstdc++.so.6/${debugId}/libstdc++.so.6.sym.gz`;
  const symFile = gunzipSync(await readFile(new URL(path, import.meta.url)));
  const symcache = convert(symFile, moduleId("libstdc++.so.6", debugId), chunkBytes);
  const header = symcache.slice(0, symcacheHeaderBytes);
  let bytes = 0;
  for (let at = 0; at < symcache.length; at += chunkBytes)
    bytes += chunks.pack(header, at, symcache.subarray(at, at + chunkBytes)).frame.length;
  assert.ok(bytes < 0.15 * symcache.length, `${bytes} of ${symcache.length}`);
});
