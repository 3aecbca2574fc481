import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "@commander-js/extra-typings";
import { fileError } from "./commandError.ts";
import { interruptible } from "./interruption.ts";
import { sampleModules, type SampledModule } from "./makeRequests/modules.ts";
import { Random } from "./makeRequests/random.ts";
import { defaultProfilerFrames, kinds, makeRequest, type Kind } from "./makeRequests/requestKinds.ts";
import { parseCount } from "./numbers.ts";
import { print, writeOutput } from "./output.ts";

export function makeRequestsCommand() {
  return new Command("make-requests")
    .summary("make requests out of sym files, for load and compare")
    .description(
      "Makes requests such as clients of Firefox send: most offsets are inside of functions of the sym files in a folder, " +
        "some are outside, and some modules are unknown. The same seed and sym files give the same bytes.\n\n" +
        "Kinds:\n" +
        "  profiler    one job of long stacks that share their outermost calls\n" +
        "  crash-ping  ten jobs of one stack each\n\n" +
        "Two thirds of all frames are in the module of most functions.",
    )
    .argument("<symbols-folder>", "folder of sym files, laid out as libxul.so/ID/libxul.so.sym or .sym.gz")
    .addOption(
      new Option("-k, --kind <kind>", "what the requests are like")
        .choices([...kinds, "both"] as const)
        .default("both" as const),
    )
    .option("-n, --count <number>", "how many requests to make", parseCount, 10)
    .option(
      "-f, --frames <number>",
      `frames of each request (default: ${defaultProfilerFrames} of profiler, 10 to 60 a job of crash-ping)`,
      parseCount,
    )
    .option("--seed <text>", "another seed gives other requests", "1")
    .option("-o, --output <folder>", "write a file for each request there (default: print one on each line)")
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot make-requests ./symbols --count 100 > requests.ndjson
  $ tseliot make-requests ./symbols --kind crash-ping --seed 7 --output requests/
  $ tseliot make-requests ./symbols --kind profiler --count 1 --frames 60000 | tseliot load http://localhost:8000`,
    )
    .action(async (folder, { kind, count, frames, seed, output }) => {
      await interruptible(async (signal) => {
        const random = new Random(seed);
        const modules = await sampleModules(folder, random, signal);
        const made = Array.from({ length: count }, (_, number) => kindOf(number, kind));
        if (output === undefined) await print(lines(made, modules, random, frames));
        else await writeFiles(output, made, modules, random, frames, signal);
      });
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
    await mkdir(folder, { recursive: true });
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
