import { performance } from "node:perf_hooks";
import type { Config } from "./config.ts";
import { createApp, type AppParts } from "./http/app.ts";
import { warmUp } from "./http/warmUp.ts";
import { createLogs } from "./logging.ts";
import { Metrics } from "./metrics.ts";
import type { Lookups } from "./symbolic/lookups.ts";
import { collectGarbage } from "./symbolic/collectGarbage.ts";
import { makeSymcache } from "./symbolic/warmUp.ts";
import type { Symcaches } from "./symbolication/symcaches.ts";

/**
 * Brings the service to its full speed before it accepts requests. An app of the same parts answers made requests, whose
 * symcache is in no folder and which no log and no metric tells of.
 */
export async function warmUpService(
  parts: Omit<AppParts, "metrics" | "requestLog" | "symcaches">,
  config: Config,
  wasm: WebAssembly.Module,
  lookups: Lookups,
): Promise<void> {
  const { module, symcache, offsets } = makeSymcache(wasm);
  const symcaches: Pick<Symcaches, "lookUp"> = {
    async lookUp(_, wanted) {
      const start = performance.now();
      const answer = await lookups.lookUp(module, symcache, wanted);
      if (answer.kind !== "found") throw new Error(`a symcache just made is ${answer.kind}`);
      return { answer: { status: "cached", ...answer }, cacheLookup: performance.now() - start };
    },
  };
  await using metrics = new Metrics(config, { mock: true });
  const { requests: requestLog } = createLogs({ ...config, localDevelopment: false }, { write() {} });
  const memoryMap = [[module.debugFilename, module.debugId]];
  const stacks = [Array.from(offsets, (offset) => [0, offset])];
  const app = createApp({ ...parts, symcaches, metrics, requestLog });
  await Promise.all([warmUp(app, JSON.stringify({ memoryMap, stacks })), lookups.warmUp()]);
  collectGarbage();
}
