import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder, type V5Response } from "./service.ts";
import { startProcess, type ServiceProcess } from "./serviceProcess.ts";
import { peakMegabytes } from "../../bench/child.ts";
import { symcacheOf, type SyntheticModule } from "./syntheticModule.ts";
import { startSyntheticModuleServer } from "./syntheticModuleServer.ts";

/** What is remembered of a fault lapses at once, and each source is asked once. */
export const withoutRetries = {
  "sources.notFoundTtlMs": "0",
  "sources.downloadFailedTtlMs": "0",
  "sources.downloadAttempts": "1",
};

export type Harness = Awaited<ReturnType<typeof startHarness>>;

/**
 * The service as a process over an empty folder and a symbol server that has all made modules, until a script says
 * otherwise for one of them. `command`: what to start in place of the service itself.
 */
export async function startHarness(
  modules: SyntheticModule[],
  env: Record<string, string> = {},
  command?: (folder: string) => string[],
) {
  await using starting = new AsyncDisposableStack();
  const cache = starting.use(await temporaryFolder());
  const { server, fault, mend, hits } = starting.use(await startSyntheticModuleServer(modules));
  const settings = { ELIOT_SYMBOLS_URLS: server.url, ELIOT_SYMBOLS_CACHE_DIR: cache.path, ...env };
  const services: ServiceProcess[] = [];
  const start = async (more: Record<string, string> = {}) => {
    const service = await startProcess({ ...settings, ...more }, command?.(cache.path));
    services.push(service);
    return service;
  };
  starting.defer(async () => {
    await Promise.all(services.map((service) => service[Symbol.asyncDispose]()));
  });
  let service = await start();
  const running = starting.move();
  return {
    server,
    folder: cache.path,
    get service() {
      return service;
    },
    /** One more service over the same folder. */
    start,
    async restart(more: Record<string, string> = {}) {
      await service[Symbol.asyncDispose]();
      service = await start(more);
    },
    fault,
    mend,
    hits,
    ask: (...asked: SyntheticModule[]) => ask(service.url, ...asked),
    kept: () => kept(cache.path, modules),
    /** How many modules were not in the folder, one per request. */
    async misses() {
      const response = await fetch(`${service.url}/cache`);
      return ((await response.json()) as { misses: number }).misses;
    },
    /** What the service has open, and the most memory that it had. */
    async resources() {
      const handles = (await readdir(`/proc/${service.pid}/fd`)).length;
      return { handles, peakMegabytes: Math.round(peakMegabytes(service.pid)) };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

export function jobOf(asked: SyntheticModule[]): object {
  return {
    memoryMap: asked.map(({ name, id }) => [name, id]),
    stacks: [asked.flatMap(({ frames }, index) => frames.map(({ offset }) => [index, offset]))],
  };
}

/** What a service says of modules: `right, converted` or `bare, not_found`. Any other answer fails. */
export async function ask(url: string, ...asked: SyntheticModule[]): Promise<string[]> {
  const response = await fetch(`${url}/symbolicate/v5`, {
    method: "POST",
    body: JSON.stringify(jobOf(asked)),
    headers: { debug: "true" },
  });
  assert.equal(response.status, 200);
  return outcomes((await response.json()) as V5Response, asked).map(({ text }) => text);
}

/** An answer, module for module; `reason` in words where there is one. */
export function outcomes({ results, debug }: V5Response, asked: SyntheticModule[]) {
  const frames = results[0]?.stacks[0] ?? [];
  let first = 0;
  return asked.map((module) => {
    const functions = frames.slice(first, first + module.frames.length).map((frame) => frame["function"]);
    first += module.frames.length;
    const { status = "unknown", reason } = debug.modules.status_per_module[module.key] ?? {};
    const isBare = functions.every((name) => name === undefined);
    if (!isBare) assert.deepEqual(functions, module.frames.map((frame) => frame.function)); // prettier-ignore
    assert.equal(results[0]?.found_modules[module.key], !isBare);
    return { text: `${isBare ? "bare" : "right"}, ${status}`, status, reason };
  });
}

/** Names of the modules whose whole symcaches are in the folder; whatever else is there by its path. */
export async function kept(folder: string, modules: SyntheticModule[]): Promise<string[]> {
  const byPath = new Map(modules.map((module) => [join("symcache-v1", `${module.key}.symc`), module]));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  const names = files.map(async (file) => {
    const module = byPath.get(file);
    if (!module) return file;
    const isWhole = Buffer.compare(await readFile(join(folder, file)), symcacheOf(module)) === 0;
    return isWhole ? module.name : `a damaged ${module.name}`;
  });
  return (await Promise.all(names)).toSorted();
}
