// Checks that the committed WebAssembly binary, its receipt and the crate's sources belong together.
// usage: node scripts/check-wasm.ts [--rebuild]
//
// --rebuild also builds it again, in a temporary folder, and wants the same bytes. With other versions of the tools than
// the receipt's the bytes may differ: then it warns, and tests should run on the rebuilt binary too. Its path is the last
// line of the output, `TSELIOT_WASM=/tmp/…/symcache.wasm`, the variable by which test/symcache takes another binary.
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
if (actual.binary !== receipt.binary) fail("is not the binary of its receipt");
if (actual.sources !== receipt.sources) fail("was built from other sources; run scripts/build-wasm.sh");

if (process.argv.includes("--rebuild")) {
  const rebuilt = join(mkdtempSync(join(tmpdir(), "tseliot-wasm-")), "symcache.wasm");
  const build = spawnSync(join(import.meta.dirname, "build-wasm.sh"), [rebuilt], { stdio: ["ignore", 2, 2] });
  if (build.status !== 0) fail("can't be rebuilt");
  const again = readReceipt(rebuilt);
  if (!isDeepStrictEqual(again.toolchain, receipt.toolchain)) {
    console.error(
      `warning: rebuilt with ${again.toolchain.join(", ")}; committed with ${receipt.toolchain.join(", ")}`,
    );
  } else if (again.binary !== receipt.binary) {
    fail(`a rebuild differs: ${rebuilt}`);
  }
  console.log(`TSELIOT_WASM=${rebuilt}`);
}
