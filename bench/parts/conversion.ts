import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { inSequence } from "../measure.ts";
import { row, table } from "../row.ts";
import { run } from "../run.ts";

/** The text of a sym file on disk to a symcache on disk. */
export async function conversion(bench: Bench): Promise<string> {
  const { path, debugFilename, debugId } = await bench.libxul(bench.pick(569, 8));
  const out = join(bench.folder, "converted.symc");
  const { python } = bench;
  const { here, native } = await inSequence(bench.pick(3, 1), {
    here: () => run("convert.ts", [path, debugFilename, debugId, out]),
    native: async () => (python ? run("native.py", ["convert", path, debugId, out], python) : {}),
  });
  return table(
    [
      row("time", "ms", "milliseconds", here, native),
      row("peak memory of the process", "MB", "megabytes", here, native),
      row("size of the symcache", "bytes", "symcache", here, native),
    ],
    "native Symbolic",
  );
}
