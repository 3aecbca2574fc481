import { Command, Option } from "@commander-js/extra-typings";
import { defaultProfilerFrames, kinds } from "./makeRequests/requestKinds.ts";
import { parseCount } from "./numbers.ts";

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
    .action(async (folder, options) => {
      const { writeRequests } = await import("./makeRequests/writeRequests.ts");
      await writeRequests(folder, options);
    });
}
