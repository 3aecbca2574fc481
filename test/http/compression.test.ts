import assert from "node:assert/strict";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { startTestService } from "../support/service.ts";
import { syntheticModule } from "../support/syntheticModule.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";

const module = syntheticModule("compressed.so", 1000);
const server = await SymbolServer.start(reply("200 OK", module.symFile));
const service = await startTestService({ ELIOT_SYMBOLS_URLS: server.url });
test.after(async () => {
  await service[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

function job(frames: number) {
  const stack = Array.from({ length: frames }, (_, index) => [0, 0x1000 + 16 * (index % module.functions)]);
  return JSON.stringify({ memoryMap: [[module.name, module.id]], stacks: [stack] });
}

/** fetch() would decompress the response. */
async function post(path: string, body: string, acceptEncoding?: string) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = acceptEncoding === undefined ? {} : { "Accept-Encoding": acceptEncoding };
    httpRequest(service.url + path, { method: "POST", headers }, resolve)
      .on("error", reject)
      .end(body);
  });
  return { headers: response.headers, bytes: await buffer(response) };
}

for (const version of ["v4", "v5"])
  for (const [accepted, encoding] of [
    ["zstd", "zstd"],
    ["gzip", "gzip"],
    ["gzip, deflate, br, zstd", "zstd"],
    ["gzip, deflate, br", "gzip"],
    ["GZIP;q=0.5, zstd;q=0", "gzip"],
    ["br", undefined],
    ["identity", undefined],
    ["gzip;q=0", undefined],
    ["", undefined],
    [undefined, undefined],
  ] as const)
    test(`${version} sends ${encoding ?? "plain JSON"} for Accept-Encoding: ${accepted ?? "none"}`, async () => {
      const path = `/symbolicate/${version}`;
      for (const frames of [100, 20_000]) {
        const { bytes: plain } = await post(path, job(frames));
        const { headers, bytes } = await post(path, job(frames), accepted);
        assert.equal(headers["content-encoding"], encoding);
        assert.match(String(headers.vary), /Accept-Encoding/);
        assert.match(plain.toString(), /in compressed\.so::7\(\)/);
        const decompress = { zstd: zstdDecompressSync, gzip: gunzipSync, none: (raw: Buffer) => raw }[
          encoding ?? "none"
        ];
        assert.ok(plain.equals(decompress(bytes)));
        if (encoding) assert.ok(bytes.length < plain.length / 3);
      }
    });

test("sends a response of less than 1 KB plain, and says that this depends on Accept-Encoding", async () => {
  const { headers, bytes } = await post("/symbolicate/v5", job(1), "gzip, zstd");
  assert.equal(headers["content-encoding"], undefined);
  assert.equal(headers["content-length"], String(bytes.length));
  assert.match(String(headers.vary), /Accept-Encoding/);
});

test("symbolicates for other clients while a compressed response is not read", async () => {
  const stalled = httpRequest(`${service.url}/symbolicate/v5`, {
    method: "POST",
    headers: { "Accept-Encoding": "gzip" },
  });
  stalled.on("error", () => {}).end(job(60_000));
  await new Promise((resolve) => stalled.on("response", resolve));
  const { bytes } = await post("/symbolicate/v5", job(100), "gzip");
  assert.match(gunzipSync(bytes).toString(), /in compressed\.so/);
  stalled.destroy();
});
