/** Starts the service with the sample symbols of this repository, sends one request and prints the response. No network. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { moduleOutcomes, type V5Response } from "../src/captures/response.ts";
import { resultsText, modulesText } from "../src/captures/captureText.ts";
import { readConfig } from "../src/config/readConfig.ts";
import { startService } from "../src/service.ts";

const symbols = new URL("../test/fixtures/conformance/symbols", import.meta.url);
const request = {
  memoryMap: [
    ["rustsample", "B8DC5E914190A65BDCFE4695B870ADD00"],
    ["libstdc++.so.6", "0CEFB84AE0DEB3F9900D2B90425BB3280"],
    ["attach_amd64.pdb", "446150EEE021480999C4BCE7828E15281"],
    ["nosuch.so", "00000000000000000000000000000000A"],
  ],
  stacks: [
    [
      [0, 0x6322a],
      [0, 0x65070],
      [3, 0x1234],
      [-1, 0x7f00],
    ],
    [
      [1, 0xc5194],
      [1, 0xc619a],
      [2, 0x4915],
    ],
  ],
};

const cacheFolder = await mkdtemp(join(tmpdir(), "tseliot-demo-"));
try {
  await using service = await startService(
    readConfig({ PORT: "0", ELIOT_SYMBOLS_URLS: symbols.href, ELIOT_SYMBOLS_CACHE_DIR: cacheFolder }),
    { logDestination: { write() {} } },
  );
  const url = `http://127.0.0.1:${service.port}/symbolicate/v5`;
  console.log(`POST ${url}\n${JSON.stringify(request)}\n`);
  const response = await fetch(url, { method: "POST", body: JSON.stringify(request) });
  const body = (await response.json()) as V5Response;
  console.log(`${response.status} ${response.statusText}, as text:\n`);
  console.log([...resultsText(body.results), ...modulesText(moduleOutcomes(body))].join(""));
} finally {
  await rm(cacheFolder, { recursive: true });
}
