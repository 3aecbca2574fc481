import { Command, Option } from "@commander-js/extra-typings";
import { defaultProfilerFrames, kinds } from "./makeRequests/generateRequest.ts";
import { parseCount } from "./options.ts";

export function makeRequestsCommand() {
  return new Command("make-requests")
    .summary("generate requests from sym files, for load and compare")
    .description(
      "Generates requests like those of Firefox tools: most offsets are inside functions of the sym files in a folder, " +
        "some are outside, and some modules are unknown. The same seed and sym files give identical requests.\n\n" +
        "Kinds:\n" +
        "  profiler    one job with long stacks that share their outermost calls\n" +
        "  crash-ping  ten jobs with one stack each\n\n" +
        "Two thirds of all frames are in the module with the most functions.",
    )
    .argument("<symbols-folder>", "folder with sym files such as libxul.so/ID/libxul.so.sym or .sym.gz")
    .addOption(
      new Option("-k, --kind <kind>", "kind of requests")
        .choices([...kinds, "both"] as const)
        .default("both" as const),
    )
    .option("-n, --count <number>", "number of requests", parseCount, 10)
    .option(
      "-f, --frames <number>",
      `frames per request (default: ${defaultProfilerFrames} for profiler, 10 to 60 per job for crash-ping)`,
      parseCount,
    )
    .option("--seed <text>", "seed of the random numbers", "1")
    .option(
      "-o, --output <folder>",
      "write one file per request to this folder (default: print one per line)",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot make-requests ./symbols --count 100 > requests.ndjson
  $ tseliot make-requests ./symbols --kind crash-ping --seed 7 --output requests/
  $ tseliot make-requests ./symbols --kind profiler --count 1 --frames 60000 | tseliot load http://localhost:8000`,
    )
    .action(async (folder, options) => {
      const { writeRequests } = await import("./makeRequests/writeRequests.ts");
      await writeRequests(folder, options);
    });
}
