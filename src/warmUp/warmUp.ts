import { mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { makeFolders } from "../diskCache/files.ts";
import { DiskCache } from "../diskCache/diskCache.ts";
import { nameTemporaryFolder, sweepTemporaryFolders } from "../diskCache/temporaryFolders.ts";
import type { Config } from "../config/readConfig.ts";
import { Admission } from "../http/admission.ts";
import { createApp, type AppDeps } from "../http/app.ts";
import { postInTurn } from "./postSequentially.ts";
import { createLogs } from "../observability/logging.ts";
import { Metrics } from "../observability/metrics.ts";
import type { Converters } from "../symcache/convert/converterPool.ts";
import type { Lookups } from "../symcache/lookup/lookupPool.ts";
import { functionBytes, madeSymFile } from "./syntheticSymFile.ts";
import { Resolver } from "../modules/resolver.ts";
import type { ModuleId } from "../identity/moduleId.ts";
import type { Source } from "../sources/source.ts";

const rounds = 60;
const framesInRound = 500;
/** What is looked up, and converted in the first rounds: both should be code that V8 has compiled for speed at the end. */
const modules = 8;
const functions = 2500;
/** All symcaches take 6 MB. */
const mostBytes = 50e6;
/** Of its folder's name. */
const prefix = "tseliot-warm-up-";

/** What a warm-up shares with the service. */
type Shared = Omit<AppDeps, "admission" | "bulkAdmission" | "metrics" | "requestLog" | "resolver"> & {
  settings: Config;
  converters: Converters;
  lookups: Lookups;
};

/**
 * Brings the service to its full speed before it accepts requests: V8 compiles JavaScript and WebAssembly for speed once
 * they have run for a while. An app on the same threads answers requests about made modules. It has a folder of its own
 * for the time, and no log and no metric tells of it. Once `signal` is aborted no more requests follow.
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
  // What is another user's can't be removed, and isn't ours to.
  cleanUp.defer(() => sweepTemporaryFolders(tmpdir(), () => {}, { own: basename(path), prefix }));
  cleanUp.defer(() => rm(path, { recursive: true }));
  const silence = { evicted() {}, used() {}, failed() {} };
  const folder = cleanUp.use(new DiskCache(path, mostBytes, diskCache.rescanIntervalMs, silence));
  const admission = new Admission(settings.server);
  const sources = [madeSource];
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
  await postInTurn(
    createApp({ ...shared, admission, bulkAdmission: admission, resolver, metrics, requestLog }),
    madeRequests(),
    signal,
  );
}

async function temporaryFolder(cacheFolder: string): Promise<string> {
  const name = nameTemporaryFolder(prefix);
  try {
    return await makeFolder(join(tmpdir(), name));
  } catch {
    // In a container nothing else may be writable.
    const folder = join(cacheFolder, "tmp");
    await makeFolders(folder);
    return await makeFolder(join(folder, name));
  }
}

/** For this user alone. */
async function makeFolder(path: string): Promise<string> {
  await mkdir(path, { mode: 0o700 });
  return path;
}

/** Has a sym file for each `warmup…`. */
const madeSource: Source = {
  address: "",
  fault: undefined,
  async open(module: ModuleId) {
    if (!module.debugFile.startsWith("warmup")) return undefined;
    const pieces = async function* () {
      yield madeSymFile(module, functions);
    };
    return { pieces: pieces(), async [Symbol.asyncDispose]() {} };
  },
  attempt: (download) => download(),
  async [Symbol.asyncDispose]() {},
};

/** Bodies of v5 requests: one about each module, then stacks all over them, and frames that nothing is known of. */
function* madeRequests(): Generator<string> {
  const debugId = "0123456789ABCDEF0123456789ABCDEF0";
  const memoryMap = Array.from({ length: modules }, (_, number) => [`warmup${number}.so`, debugId]);
  for (let module = 0; module < modules; module++)
    yield JSON.stringify({ memoryMap, stacks: [[[module, 0]]] });
  memoryMap.push(["unknown.so", debugId]);
  let number = 0;
  for (let round = 0; round < rounds; round++) {
    const stack = Array.from({ length: framesInRound }, () => {
      const offset = ((++number * 7919) % (functions + 50)) * functionBytes + (number % functionBytes);
      return [(number % (modules + 2)) - 1, offset];
    });
    yield JSON.stringify({ memoryMap, stacks: [stack] });
  }
}
