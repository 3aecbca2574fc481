import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let isDue = false;
let collect: ((how: { type: "major"; execution: "async" }) => Promise<void>) | undefined;

/**
 * Gives back the memory of instances that were dropped, once the work at hand is done. To V8 such an instance is one
 * small object: left to itself, it lets them come to gigabytes before it looks.
 */
export function collectGarbage(): void {
  if (isDue) return;
  isDue = true;
  setImmediate(() => {
    isDue = false;
    setFlagsFromString("--expose-gc");
    collect ??= runInNewContext("gc") as typeof collect;
    void collect?.({ type: "major", execution: "async" });
  });
}
