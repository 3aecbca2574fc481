import { deepStrictEqual } from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { report } from "./measure.ts";
import { startNative, startSymbolServer, startTseliot, type Service } from "./servers.ts";

/** Cache folders that already have the symcaches of some modules, and services that use them. */
export interface SymcacheFolders extends AsyncDisposable {
  startTseliot(lookupMemory?: string): Promise<Service>;
  /** Undefined without native Symbolic. */
  startNative(processes?: number): Promise<Service | undefined>;
}

/** Lets both services create the symcaches that `body` needs, and checks that their responses are equal. */
export async function prepareFolders(bench: Bench, symbols: string, body: string): Promise<SymcacheFolders> {
  report("creating symcaches");
  await using starting = new AsyncDisposableStack();
  const { path } = starting.use(await bench.newFolder());
  const server = starting.use(await startSymbolServer(symbols));
  const options = (folder: string) => ({ symbols: `${server.address}/plain`, folder: join(path, folder) });
  for (const name of ["tseliot", "native"]) await mkdir(join(path, name));

  const folders: Omit<SymcacheFolders, typeof Symbol.asyncDispose> = {
    startTseliot: (lookupMemory = "") =>
      startTseliot(options("tseliot"), { ELIOT_LOOKUP_MEMORY: lookupMemory }),
    startNative: async (processes) =>
      bench.python === undefined ? undefined : startNative(bench.python, options("native"), processes),
  };
  const responses = [];
  for (const start of [folders.startTseliot, folders.startNative]) {
    await using service = await start();
    if (service) responses.push(JSON.parse(await service.post(body)) as unknown);
  }
  if (responses.length > 1) deepStrictEqual(responses[0], responses[1]);
  const started = starting.move();
  return { ...folders, [Symbol.asyncDispose]: () => started.disposeAsync() };
}
