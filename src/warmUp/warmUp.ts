import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { request } from "undici";
import { makeFolders } from "../diskCache/files.ts";
import { DiskCache } from "../diskCache/diskCache.ts";
import { nameTemporaryFolder, sweepTemporaryFolders } from "../diskCache/temporaryFolders.ts";
import type { Config } from "../config/readConfig.ts";
import { Admission } from "../http/admission.ts";
import { createApp, type AppDeps } from "../http/app.ts";
import { createLogs } from "../observability/logging.ts";
import { Metrics } from "../observability/metrics.ts";
import type { ConverterPool } from "../symcache/convert/converterPool.ts";
import type { LookupPool } from "../symcache/lookup/lookupPool.ts";
import { functionBytes, syntheticSymFile } from "./syntheticSymFile.ts";
import { Resolver } from "../modules/resolver.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { Source } from "../sources/source.ts";

/** Enough conversions, lookups and requests for V8 to optimize their code. */
const modules = 8;
const functionsPerModule = 2500;
const requests = 60;
const framesPerRequest = 500;
/** All symcaches together take 6 MB. */
const maxCacheBytes = 50e6;
const folderPrefix = "tseliot-warm-up-";

/** What the warm-up shares with the service. */
type Shared = Omit<AppDeps, "admission" | "bulkAdmission" | "metrics" | "requestLog" | "resolver"> & {
  settings: Config;
  converters: ConverterPool;
  lookups: LookupPool;
};

/**
 * Lets V8 optimize JavaScript and WebAssembly before the service accepts requests: a second app, on the same threads, handles
 * requests for synthetic modules. It has its own cache folder, no logs and no metrics. Ends early if `signal` is aborted.
 */
export async function warmUp(shared: Shared, signal: AbortSignal): Promise<void> {
  const { settings, converters, lookups } = shared;
  const { diskCache, observability } = settings;
  await using metrics = new Metrics(observability, { mock: true });
  const { app: log, requests: requestLog } = await createLogs(
    { ...observability, localDevelopment: false },
    { write() {} },
  );
  await using cleanUp = new AsyncDisposableStack();
  const path = await temporaryFolder(diskCache.folder);
  // Errors are ignored: folders of other users can't be removed, and needn't be.
  cleanUp.defer(() =>
    sweepTemporaryFolders(tmpdir(), () => {}, { own: basename(path), prefix: folderPrefix }),
  );
  cleanUp.defer(() => rm(path, { recursive: true }));
  const ignoreEvents = { evicted() {}, used() {}, failed() {} };
  const folder = cleanUp.use(new DiskCache(path, maxCacheBytes, diskCache.rescanIntervalMs, ignoreEvents));
  const admission = new Admission(settings.server, settings.server.maxBodiesBytes);
  const sources = [syntheticSource];
  using resolver = new Resolver({
    diskCache: folder,
    sources,
    converters,
    lookups,
    metrics,
    log,
    isCrowded: () => false,
    config: settings,
  });
  await postSequentially(
    createApp({ ...shared, admission, bulkAdmission: admission, resolver, metrics, requestLog }),
    syntheticRequests(),
    signal,
  );
}

/** Sends v5 requests to `app`, one after the other, through a loopback port of their own, until `signal` is aborted. */
async function postSequentially(
  app: RequestListener,
  bodies: Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    for (const body of bodies) {
      if (signal.aborted) break;
      const response = await request(`http://127.0.0.1:${port}/symbolicate/v5`, { method: "POST", body });
      await response.body.dump({ limit: Infinity });
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function temporaryFolder(cacheFolder: string): Promise<string> {
  const name = nameTemporaryFolder(folderPrefix);
  let path = join(tmpdir(), name);
  try {
    await mkdir(path, { mode: 0o700 });
  } catch {
    // In a container, only the cache folder may be writable.
    const folder = join(cacheFolder, "tmp");
    await makeFolders(folder);
    path = join(folder, name);
    await mkdir(path, { mode: 0o700 });
  }
  return path;
}

/** Has a sym file for each module `warmup…`. */
const syntheticSource: Source = {
  address: "",
  fault: undefined,
  async open(module: ModuleId) {
    if (!module.debugFile.startsWith("warmup")) return undefined;
    const pieces = async function* () {
      yield syntheticSymFile(module, functionsPerModule);
    };
    return { pieces: pieces(), async [Symbol.asyncDispose]() {} };
  },
  attempt: (download) => download(),
  async [Symbol.asyncDispose]() {},
};

/** Bodies of v5 requests: one for each module, then stacks across all of them, including unknown modules and offsets. */
function* syntheticRequests(): Generator<string> {
  const debugId = "0123456789ABCDEF0123456789ABCDEF0";
  const memoryMap = Array.from({ length: modules }, (_, index) => [`warmup${index}.so`, debugId]);
  for (let module = 0; module < modules; module++)
    yield JSON.stringify({ memoryMap, stacks: [[[module, 0]]] });
  memoryMap.push(["unknown.so", debugId]);
  let count = 0;
  for (let index = 0; index < requests; index++) {
    const stack = Array.from({ length: framesPerRequest }, () => {
      const spread = (++count * 7919) % (functionsPerModule + 50);
      return [(count % (modules + 2)) - 1, spread * functionBytes + (count % functionBytes)];
    });
    yield JSON.stringify({ memoryMap, stacks: [stack] });
  }
}
