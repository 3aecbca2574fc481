import { join } from "node:path";
import { makeFolders } from "../../diskCache/files.ts";
import { fileError } from "../commandError.ts";
import { interruptible } from "../interruption.ts";
import { print, writeOutput } from "../output.ts";
import { sampleModules, type SampledModule } from "./modules.ts";
import { Random } from "./random.ts";
import { kinds, makeRequest, type Kind } from "./requestKinds.ts";

interface Options {
  kind: Kind | "both";
  count: number;
  frames?: number | undefined;
  seed: string;
  /** A folder; undefined is standard output. */
  output?: string | undefined;
}

/** Makes requests of the sym files in a folder. */
export async function writeRequests(
  symbols: string,
  { kind, count, frames, seed, output }: Options,
): Promise<void> {
  await interruptible(async (signal) => {
    const random = new Random(seed);
    const modules = await sampleModules(symbols, random, signal);
    const made = Array.from({ length: count }, (_, number) => kindOf(number, kind));
    if (output === undefined) await print(lines(made, modules, random, frames));
    else await writeFiles(output, made, modules, random, frames, signal);
  });
}

function kindOf(number: number, kind: Kind | "both"): Kind {
  return kind === "both" ? (kinds[number % kinds.length] as Kind) : kind;
}

/** Each has random numbers of its own, so that more requests begin with the same ones. */
function* lines(
  made: Kind[],
  modules: SampledModule[],
  random: Random,
  frames: number | undefined,
): Generator<string> {
  for (const [number, kind] of made.entries())
    yield `${JSON.stringify(makeRequest[kind](modules, random.fork(`${kind} ${number}`), frames))}\n`;
}

/** `0002-crash-ping.json` */
async function writeFiles(
  folder: string,
  made: Kind[],
  modules: SampledModule[],
  random: Random,
  frames: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    await makeFolders(folder);
  } catch (error) {
    throw fileError(`can't make ${folder}`, error);
  }
  let number = 0;
  for (const line of lines(made, modules, random, frames)) {
    const kind = made[number++];
    const name = `${String(number).padStart(4, "0")}-${kind}.json`;
    await writeOutput(join(folder, name), [line], signal);
  }
  process.stderr.write(`${number} requests are in ${folder}\n`);
}
