import { rm } from "node:fs/promises";
import { join } from "node:path";
import { freePort, startBalancer } from "./balancer.ts";
import { temporaryFolder } from "./service.ts";
import { startProcess, type ServiceProcess } from "./serviceProcess.ts";
import type { SyntheticModule } from "./syntheticModule.ts";
import { startSyntheticModuleServer } from "./syntheticModuleServer.ts";

export const instanceCount = 3;

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/** A busy machine makes the store slow, which isn't what is tested. */
const longTimeouts = {
  "sharedCache.stallTimeoutMs": "30000",
  "sharedCache.getTimeoutMs": "60000",
  ELIOT_LOOKUP_WORKERS: "1",
};

/**
 * Three instances as processes of their own, each with a folder of its own, which is empty, behind nginx, and a symbol server
 * that has all modules.
 */
export async function startFleet(modules: SyntheticModule[], env: Record<string, string> = {}) {
  await using starting = new AsyncDisposableStack();
  const folders = starting.use(await temporaryFolder());
  const symbols = starting.use(await startSyntheticModuleServer(modules));
  const instances: ServiceProcess[] = [];
  starting.defer(async () => {
    await Promise.all(instances.map((instance) => instance[Symbol.asyncDispose]()));
  });
  const ports = await Promise.all(Array.from({ length: instanceCount }, freePort));
  const folderOf = (index: number) => join(folders.path, String(index));
  const start = async (index: number) => {
    instances[index] = await startProcess({
      PORT: String(ports[index]),
      ELIOT_SYMBOLS_URLS: symbols.server.url,
      ELIOT_SYMBOLS_CACHE_DIR: folderOf(index),
      ...longTimeouts,
      ...env,
    });
  };
  await Promise.all(ports.map((_, index) => start(index)));
  const balancer = starting.use(await startBalancer(ports.map((port) => `127.0.0.1:${port}`)));
  const running = starting.move();
  return {
    /** Of the load balancer. */
    url: balancer.url,
    instances,
    /** Ends one, and gives its exit code. */
    async end(index: number, signal: NodeJS.Signals) {
      instances[index]!.signal(signal);
      return await instances[index]!.exit;
    },
    /** Starts one that has ended. */
    start,
    /** Lets one that has ended begin with nothing. */
    emptyFolder: (index: number) => rm(folderOf(index), { recursive: true }),
    /** Times that the symbol server was asked, which is once for each conversion. */
    downloads: () => symbols.server.hits.length,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
