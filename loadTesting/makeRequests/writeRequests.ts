import { join } from "node:path";
import { makeFolders } from "../../src/diskCache/files.ts";
import { fileError } from "../../src/cli/commandError.ts";
import { interruptible } from "../../src/cli/interruption.ts";
import { print, writeOutput } from "../../src/cli/output.ts";
import { sampleModules, type SampledModule } from "./modules.ts";
import { Random } from "./random.ts";
import { generateRequest, kinds, type Kind } from "./generateRequest.ts";

interface Options {
  kind: Kind | "both";
  count: number;
  frames?: number | undefined;
  seed: string;
  /** A folder; undefined for standard output. */
  output?: string | undefined;
}

export async function writeRequests(
  symbols: string,
  { kind, count, frames, seed, output }: Options,
): Promise<void> {
  await interruptible(async (signal) => {
    const random = new Random(seed);
    const modules = await sampleModules(symbols, random, signal);
    const requestKinds = Array.from({ length: count }, (_, number) => kindOf(number, kind));
    if (output === undefined) await print(lines(requestKinds, modules, random, frames));
    else await writeFiles(output, requestKinds, modules, random, frames, signal);
  });
}

function kindOf(number: number, kind: Kind | "both"): Kind {
  return kind === "both" ? (kinds[number % kinds.length] as Kind) : kind;
}

/** Each request has its own generator, so the first requests don't depend on the count. */
function* lines(
  requestKinds: Kind[],
  modules: SampledModule[],
  random: Random,
  frames: number | undefined,
): Generator<string> {
  for (const [number, kind] of requestKinds.entries())
    yield `${JSON.stringify(generateRequest[kind](modules, random.fork(`${kind} ${number}`), frames))}\n`;
}

/** `0002-crash-ping.json` */
async function writeFiles(
  folder: string,
  requestKinds: Kind[],
  modules: SampledModule[],
  random: Random,
  frames: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    await makeFolders(folder);
  } catch (error) {
    throw fileError(`can't create ${folder}`, error);
  }
  let number = 0;
  for (const line of lines(requestKinds, modules, random, frames)) {
    const kind = requestKinds[number++];
    const name = `${String(number).padStart(4, "0")}-${kind}.json`;
    await writeOutput(join(folder, name), [line], signal);
  }
  process.stderr.write(`wrote ${number} requests to ${folder}\n`);
}
