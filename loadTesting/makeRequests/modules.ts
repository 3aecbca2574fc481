import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { moduleIdOfKey, unservableReason, type ModuleId } from "../../src/identity/moduleId.ts";
import { DownloadError } from "../../src/sources/downloadError.ts";
import { FolderSource } from "../../src/sources/folderSource.ts";
import { CommandError, fileError } from "../../src/cli/commandError.ts";
import { countBytes } from "../../src/cli/input.ts";
import { Progress, sizeText } from "../../src/cli/progress.ts";
import { sampleFunctions, type SampledFunctions } from "./functions.ts";
import type { Random } from "./random.ts";

export interface SampledModule extends ModuleId, SampledFunctions {}

/**
 * The modules with sym files in a folder that is laid out like a symbol server, most functions first. Prints a message for each
 * module that is skipped. Throws a CommandError.
 */
export async function sampleModules(
  folder: string,
  random: Random,
  signal: AbortSignal,
): Promise<SampledModule[]> {
  await using source = new FolderSource(`${pathToFileURL(folder).href}/`);
  using progress = new Progress();
  const wanted = await listModules(folder);
  const sampled: SampledModule[] = [];
  let bytes = 0;
  for (const [index, module] of wanted.entries()) {
    signal.throwIfAborted();
    const name = module.key;
    try {
      await using symText = await source.open(module, signal);
      if (!symText) continue;
      const text = countBytes(symText.pieces, (length) => {
        bytes += length;
        progress.show(() => `${index} of ${wanted.length} modules, ${sizeText(bytes)} of sym files`);
      });
      const functions = await sampleFunctions(text, random.fork(name));
      if (functions.count > 0)
        sampled.push({
          ...module,
          functions: functions.functions,
          count: functions.count,
          end: functions.end,
        });
      else process.stderr.write(`${name}: skipped, it has no functions\n`);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof DownloadError)) throw error;
      process.stderr.write(`${name}: skipped: ${error.message}\n`);
    }
  }
  if (sampled.length === 0)
    throw new CommandError(
      "usage",
      `${folder} has no sym files such as libxul.so/ID/libxul.so.sym or .sym.gz`,
    );
  return sampled.toSorted((a, b) => b.count - a.count);
}

/** Sorted by name. */
async function listModules(folder: string): Promise<ModuleId[]> {
  try {
    const modules: ModuleId[] = [];
    for (const debugFile of await folders(folder))
      for (const debugId of await folders(join(folder, debugFile))) {
        const module = moduleIdOfKey(`${debugFile}/${debugId}`);
        if (unservableReason(module) === undefined) modules.push(module);
      }
    return modules;
  } catch (error) {
    throw fileError(`can't read ${folder}`, error);
  }
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .toSorted();
}
