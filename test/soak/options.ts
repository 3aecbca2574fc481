import { parseArgs } from "node:util";

const help = `Lets the service answer clients of all kinds for a long time, while its symbol server fails in every way.
Needs Linux, some 2 GB of memory and 500 MB of disk.

  npm run soak -- [--minutes N] [--seed N] [--clients N] [--plot FILE] [--docs]

  --minutes N   how long (60)
  --seed N      other requests and faults; for the same seed all but the timing is the same (1)
  --clients N   how many ask at a time (8)
  --plot FILE   draw memory, file handles, threads and times over the minutes, as SVG
  --docs        write the plot and a table into docs/, as soaks of 20 minutes and more do anyhow

The service is a process of its own, with limits of a small instance. Every answer is looked at: each function, file, line
and inlined call must be right, a module may have no symbols only where a fault explains it, and no status may be 5xx but
503 with Retry-After. Memory, file handles and threads must stay flat after the first ten minutes, or the first third of
a short soak; file handles must come back to what they were at the start once nobody asks any more.

Exit code 1 where an answer was wrong or something grew. Ctrl-C ends it with what it has so far.`;

export interface Options {
  minutes: number;
  seed: number;
  clients: number;
  plot: string | undefined;
  docs: boolean;
}

/** What the command line asks for; undefined where that was help, or it is bad, which is said then. */
export function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: "string", default: "60" },
        seed: { type: "string", default: "1" },
        clients: { type: "string", default: "8" },
        plot: { type: "string" },
        docs: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(help);
      return undefined;
    }
    return {
      minutes: above0("minutes", values.minutes),
      seed: above0("seed", values.seed),
      clients: above0("clients", values.clients),
      plot: values.plot,
      docs: values.docs,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\nSee npm run soak -- --help.`);
    process.exitCode = 1;
    return undefined;
  }
}

function above0(option: string, text: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new Error(`--${option} wants a number above 0, not '${text}'`);
}
