/** `npm run soak`; its help says what it does. */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { report } from "../../bench/measure.ts";
import { machine, writeInto } from "../../bench/page.ts";
import { short } from "../../bench/row.ts";
import { counts, drawing, table } from "./figures.ts";
import { wholePopulation } from "./population.ts";
import type { Sample } from "./sample.ts";
import { soak } from "./soak.ts";
import type { Tally } from "./tally.ts";
import { findings, halves } from "./verdict.ts";

const help = `Lets the service answer clients of all kinds for a long time, while its symbol server fails in every way.

  npm run soak -- [--minutes N] [--seed N] [--clients N] [--plot FILE] [--docs]

  --minutes N   how long (60)
  --seed N      other requests and faults; all but the timing is the same for the same seed (1)
  --clients N   how many ask at a time (8)
  --plot FILE   draw memory, file handles, threads and times over the minutes, as SVG
  --docs        write the plot and a table into docs/, as soaks of 20 minutes and more do by themselves

The service is a process of its own with limits of a small instance. Every answer is looked at: each function, file, line
and inlined call must be right, a module may have no symbols only while a fault explains it, and no status may be 5xx but
503 with Retry-After. Memory, file handles and threads must stay flat after the first ten minutes, or the first third of
a short soak; file handles must come back to what they were at the start once nobody asks any more.

Exit code 1 where an answer was wrong or something grew. Ctrl-C ends it with what it has so far.`;

/** Minutes of a soak whose figures are worth keeping. */
const long = 20;
/** Seconds between two samples, less in short soaks; and between two lines in a pipe. */
const longestInterval = 5;
const lineInterval = 30;

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
if (values.help) console.log(help);
else await main();

async function main(): Promise<void> {
  const [minutes, seed, clients] = [values.minutes, values.seed, values.clients].map(Number) as [
    number,
    number,
    number,
  ];
  if (!(minutes > 0) || !Number.isInteger(seed) || !(clients >= 1))
    throw new Error("--minutes, --seed and --clients want numbers: see --help");
  const interrupted = new AbortController();
  // A terminal's Ctrl-C may come twice under npm.
  process.on("SIGINT", () => interrupted.abort());
  report("making sym files");
  const result = await soak({
    minutes,
    seed,
    clients,
    population: wholePopulation(),
    interval: Math.min(longestInterval, minutes),
    onSample: tell(minutes),
    signal: interrupted.signal,
  });
  report("");
  const soaked = result.samples.at(-1)?.minutes ?? 0;
  const text = [
    `${machine()}; seed ${seed}, ${clients} clients, ${short(soaked)} minutes.`,
    table(result),
    counts(result),
  ].join("\n\n");
  console.log(text);
  const title = `A soak of ${short(soaked)} minutes`;
  if (values.plot !== undefined) await writeFile(values.plot, drawing(result, title));
  if (values.docs || soaked >= long) {
    const docs = new URL("../../docs/", import.meta.url);
    await writeFile(new URL("soak.svg", docs), drawing(result, title));
    await writeInto(new URL("reliability.md", docs), "soak", text);
  }
  const found = findings(result);
  for (const finding of found) console.log(`\n${finding}`);
  if (found.length > 0) process.exitCode = 1;
  else if (!halves(result.samples))
    console.log("\nToo short to say whether it stays flat; no answer was wrong.");
  else console.log("\nIt stays flat, and no answer was wrong.");
}

/** On a terminal a line that the next overwrites; else a line now and then. */
function tell(minutes: number): (sample: Sample, tally: Tally, spell: string) => void {
  let last = -Infinity;
  return (sample, { answers, wrongAnswers }, spell) => {
    const sum = [...answers.values()].reduce((total, times) => total + times, 0);
    const line = [
      `${sample.minutes.toFixed(1)} of ${minutes} min`,
      `${Math.round(sample.megabytes)} MB`,
      `${sample.handles} file handles`,
      `${sample.threads} threads`,
      `${sum} requests`,
      `${wrongAnswers} wrong`,
      sample.minutes > minutes ? "at rest" : spell,
    ].join(", ");
    report(line);
    if (process.stderr.isTTY || sample.minutes - last < lineInterval / 60) return;
    last = sample.minutes;
    console.log(line);
  };
}
