import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

type Collect = (how: { type: "major" | "minor"; execution?: "async" }) => unknown;

let isDue = false;
let collect: Collect | undefined;

/**
 * Frees the memory of dropped WebAssembly instances after the current work. V8 sees them as small objects, and would let
 * gigabytes accumulate before it collects them.
 */
export function collectGarbage(): void {
  if (isDue) return;
  isDue = true;
  setImmediate(() => {
    isDue = false;
    collector()({ type: "major", execution: "async" });
  });
}

/** Frees recently dropped buffers, 100 MB during a fast download. Takes half a millisecond. */
export function collectYoungGarbage(): void {
  collector()({ type: "minor" });
}

function collector(): Collect {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as Collect;
  }
  return collect;
}
