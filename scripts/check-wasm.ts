// Checks that the committed WebAssembly binary and its receipt match the crate's sources.
// usage: node scripts/check-wasm.ts [--rebuild]
//
// --rebuild also rebuilds the binary in a temporary folder and compares the bytes. If tool versions differ from the receipt's,
// it only prints a warning: run the tests on the rebuilt binary too. The last line of the output is the variable for that,
// `TSELIOT_WASM=/tmp/…/symcache.wasm`.
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { readReceipt, receiptFor } from "./wasm-receipt.ts";

const committed = join(import.meta.dirname, "../src/symcache/symcache.wasm");

function fail(message: string): never {
  console.error(`symcache.wasm: ${message}`);
  process.exit(1);
}

const receipt = readReceipt(committed);
const actual = receiptFor(committed, receipt.toolchain);
if (actual.binary !== receipt.binary) fail("does not match its receipt; run npm run wasm:build");
if (actual.sources !== receipt.sources) fail("was built from other sources; run npm run wasm:build");

if (process.argv.includes("--rebuild")) {
  const rebuilt = join(mkdtempSync(join(tmpdir(), "tseliot-wasm-")), "symcache.wasm");
  const build = spawnSync(join(import.meta.dirname, "build-wasm.sh"), [rebuilt], { stdio: ["ignore", 2, 2] });
  if (build.status !== 0) fail("rebuild failed");
  const rebuiltReceipt = readReceipt(rebuilt);
  if (!isDeepStrictEqual(rebuiltReceipt.toolchain, receipt.toolchain)) {
    console.error(
      `warning: rebuilt with ${rebuiltReceipt.toolchain.join(", ")}; committed with ${receipt.toolchain.join(", ")}`,
    );
  } else if (rebuiltReceipt.binary !== receipt.binary) {
    fail(`the rebuilt binary differs: ${rebuilt}`);
  }
  console.log(`TSELIOT_WASM=${rebuilt}`);
}
