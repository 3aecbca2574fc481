import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { interleave } from "../measure.ts";
import { row, table } from "../row.ts";
import { run } from "../run.ts";

/** Converts a sym file on disk into a symcache on disk. */
export async function conversion(bench: Bench): Promise<string> {
  const { path, debugFilename, debugId } = await bench.libxul(bench.pick(569, 8));
  const out = join(bench.folder, "converted.symc");
  const { python } = bench;
  const { tseliot, native } = await interleave(bench.pick(3, 1), {
    tseliot: () => run("convert.ts", [path, debugFilename, debugId, out]),
    native: async () => (python ? run("native.py", ["convert", path, debugId, out], python) : {}),
  });
  return table(
    [
      row("time", "ms", "milliseconds", tseliot, native),
      row("peak memory of the process", "MB", "megabytes", tseliot, native),
      row("size of the symcache", "bytes", "symcache", tseliot, native),
    ],
    "native Symbolic",
  );
}
