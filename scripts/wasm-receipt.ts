// The receipt of a WebAssembly binary: the sources and tools it was built from.
// usage: node scripts/wasm-receipt.ts symcache.wasm < TOOL-VERSIONS     writes symcache.wasm.receipt.json
import { createHash } from "node:crypto";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";

export const Receipt = z.object({
  /** SHA-256 of the binary, in hexadecimal. */
  binary: z.string(),
  /** SHA-256 of the paths and contents of the sources. */
  sources: z.string(),
  /** First line of each tool's `--version`. */
  toolchain: z.array(z.string()),
});
export type Receipt = z.infer<typeof Receipt>;

const repository = join(import.meta.dirname, "..");
const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");

/** The receipt of a binary that was built from the current sources. */
export function receiptFor(wasm: string, toolchain: string[]): Receipt {
  const patterns = [
    "crates/symcache/Cargo.{toml,lock}",
    "crates/symcache/src/**/*.rs",
    "scripts/build-wasm.sh",
  ];
  const paths = globSync(patterns, { cwd: repository }).toSorted();
  const sources = paths.map((path) => `${sha256(readFileSync(join(repository, path)))} ${path}\n`);
  return { binary: sha256(readFileSync(wasm)), sources: sha256(sources.join("")), toolchain };
}

/** The receipt next to a binary. */
export function readReceipt(wasm: string): Receipt {
  return Receipt.parse(JSON.parse(readFileSync(`${wasm}.receipt.json`, "utf8")));
}

if (import.meta.main) {
  const wasm = process.argv[2];
  if (wasm === undefined) throw new Error("usage: node scripts/wasm-receipt.ts WASM < versions");
  const toolchain = (await text(process.stdin)).trim().split("\n");
  writeFileSync(`${wasm}.receipt.json`, `${JSON.stringify(receiptFor(wasm, toolchain), null, 2)}\n`);
}
