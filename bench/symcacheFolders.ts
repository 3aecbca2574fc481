import { deepStrictEqual } from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { report } from "./measure.ts";
import { startNative, startSymbolServer, startTseliot, type Service } from "./servers.ts";

/** Folders that have the symcaches of some modules already, and services on them. */
export interface SymcacheFolders extends AsyncDisposable {
  startHere(lookupMemory?: string): Promise<Service>;
  /** Undefined where there is no native Symbolic. */
  startNative(processes?: number): Promise<Service | undefined>;
}

/** Lets both kinds of service make the symcaches that `body` asks for; their answers must be the same. */
export async function prepareFolders(bench: Bench, symbols: string, body: string): Promise<SymcacheFolders> {
  report("making the symcaches");
  await using starting = new AsyncDisposableStack();
  const { path } = starting.use(await bench.newFolder());
  const server = starting.use(await startSymbolServer(symbols));
  const options = (folder: string) => ({ symbols: `${server.address}/plain`, folder: join(path, folder) });
  for (const name of ["here", "native"]) await mkdir(join(path, name));

  const folders: Omit<SymcacheFolders, typeof Symbol.asyncDispose> = {
    startHere: (lookupMemory = "") => startTseliot(options("here"), { ELIOT_LOOKUP_MEMORY: lookupMemory }),
    startNative: async (processes) =>
      bench.python === undefined ? undefined : startNative(bench.python, options("native"), processes),
  };
  const answers = [];
  for (const start of [folders.startHere, folders.startNative]) {
    await using service = await start();
    if (service) answers.push(JSON.parse(await service.post(body)) as unknown);
  }
  if (answers.length > 1) deepStrictEqual(answers[0], answers[1]);
  const held = starting.move();
  return { ...folders, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
