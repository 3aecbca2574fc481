/** `npm run soak`: see its help. */
import { writeFile } from "node:fs/promises";
import { report } from "../../bench/measure.ts";
import { machine, writeInto } from "../../bench/page.ts";
import { short } from "../../src/captures/numberText.ts";
import { counts, drawing, table } from "./figures.ts";
import { readOptions, type Options } from "./options.ts";
import { wholePopulation } from "./modules.ts";
import type { Sample } from "./sample.ts";
import { soak } from "./soak.ts";
import type { Counters } from "./counters.ts";
import { findings, halves } from "./findings.ts";

/** Minutes of a soak whose figures are worth keeping. */
const long = 20;
/** Seconds between two samples, less in short soaks; and between two lines in a pipe. */
const longestInterval = 5;
const lineInterval = 30;

const options = readOptions();
if (options) await run(options);

async function run({ minutes, seed, clients, plot, docs: forDocs }: Options): Promise<void> {
  const interrupted = new AbortController();
  // Under npm a terminal's Ctrl-C comes twice.
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
    `${machine()}; ${short(soaked)} minutes, seed ${seed}, ${clients} clients.`,
    table(result),
    counts(result),
  ].join("\n\n");
  console.log(text);
  const svg = drawing(result, `A soak of ${Math.round(soaked)} minutes, by minute`);
  if (plot !== undefined) await writeFile(plot, svg);
  if (forDocs || soaked >= long * 0.99) {
    const docs = new URL("../../docs/", import.meta.url);
    await writeFile(new URL("soak.svg", docs), svg);
    await writeInto(new URL("reliability.md", docs), "soak", text);
  }
  const found = findings(result);
  for (const finding of found) console.log(`\n${finding}`);
  if (found.length > 0) process.exitCode = 1;
  else if (halves(result.samples)) console.log("\nIt stays flat, and no response was wrong.");
  else console.log("\nNo response was wrong. The run was too short to say whether it stays flat.");
}

/** Prints the first wrong responses as they arrive, and the progress: on a terminal in a line that is overwritten, otherwise in a line now and then. */
function tell(minutes: number): (sample: Sample, counters: Counters, spell: string) => void {
  let last = -Infinity;
  let told = 0;
  return (sample, { responses, wrongResponses, wrong }, spell) => {
    for (; told < wrong.length; told++) {
      report("");
      console.log(`wrong in minute ${sample.minutes.toFixed(1)}: ${wrong[told]}`);
    }
    const requests = [...responses.values()].reduce((total, times) => total + times, 0);
    const line = [
      `${sample.minutes.toFixed(1)} of ${minutes} min`,
      `${Math.round(sample.megabytes)} MB`,
      `${sample.handles} file handles`,
      `${sample.threads} threads`,
      `${requests} requests`,
      `${wrongResponses} wrong`,
      sample.minutes > minutes ? "at rest" : spell,
    ].join(", ");
    report(line);
    if (process.stderr.isTTY || sample.minutes - last < lineInterval / 60) return;
    last = sample.minutes;
    console.log(line);
  };
}
