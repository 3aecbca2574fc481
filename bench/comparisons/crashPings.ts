import { Readable } from "node:stream";
import { request } from "undici";
import type { Bench } from "../bench.ts";
import { crashPings as generatePings } from "../crashPings.ts";
import { requests } from "../frames.ts";
import { interleave, report, type Measured } from "../measure.ts";
import { row, table, type Row } from "../row.ts";
import type { Service } from "../servers.ts";
import { prepareFolders } from "../symcacheFolders.ts";
import { writeSymFiles } from "../symFile.ts";

const megabytes = [60, 20, 13, 9, 6, 4, 2, 2, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
const jobsOfRequest = 10;
const requestsAtOnce = 4;

/** Crash pings as a bulk stream, and their crashing threads as v5 requests of ten jobs. */
export async function crashPings(bench: Bench): Promise<string> {
  report("writing twenty sym files");
  const symbols = `${bench.symbols}/twenty`;
  const symFiles = writeSymFiles(
    symbols,
    megabytes.map((size) => bench.pick(size, size / 20)),
  );
  const next = generatePings(symFiles);
  const distinct = Array.from({ length: bench.pick(2000, 100) }, next);
  const times = bench.pick(10, 1);
  const lines = distinct.map(({ ping }) => `${JSON.stringify(ping)}\n`);
  const bodies = Array.from({ length: distinct.length / jobsOfRequest }, (_, number) => {
    const jobs = distinct.slice(number * jobsOfRequest, (number + 1) * jobsOfRequest).map(({ job }) => job);
    return JSON.stringify({ jobs });
  });
  const many = <Item>(items: Item[]) => Array.from({ length: times }, () => items).flat();

  await using folders = await prepareFolders(bench, symbols, requests(symFiles, 10)());
  await using bulk = await folders.startTseliot();
  await using v5 = await folders.startTseliot();
  const runs = await interleave(bench.pick(3, 1), {
    bulk: () => stream(bulk, many(lines)),
    v5: () => load(v5, many(bodies)),
  });
  const rows: Row[] = [
    { ...row("crash pings", "a second", "rate", runs.bulk, runs.v5), higherIsBetter: true },
    row("peak memory of the service", "MB", "megabytes", runs.bulk.slice(-1), runs.v5.slice(-1)),
  ];
  return table(rows, `\`/symbolicate/v5\`, ten jobs a request, ${requestsAtOnce} requests at once`).replace(
    "| tseliot |",
    "| `/symbolicate/bulk`, one stream |",
  );
}

async function stream(service: Service, lines: string[]): Promise<Measured> {
  const start = performance.now();
  const { body } = await request(`${service.ready[1]}/symbolicate/bulk?thread=crashing`, {
    method: "POST",
    body: Readable.from(lines),
  });
  let responses = 0;
  for await (const piece of body as AsyncIterable<Buffer>)
    for (let at = piece.indexOf("\n"); at >= 0; at = piece.indexOf("\n", at + 1)) responses++;
  if (responses !== lines.length) throw new Error(`${responses} responses to ${lines.length} lines`);
  return measured(service, lines.length, start);
}

async function load(service: Service, bodies: string[]): Promise<Measured> {
  const start = performance.now();
  let next = 0;
  const client = async () => {
    while (next < bodies.length) await service.post(bodies[next++] ?? "");
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, client));
  return measured(service, bodies.length * jobsOfRequest, start);
}

function measured(service: Service, pings: number, start: number): Measured {
  const rate = pings / ((performance.now() - start) / 1000);
  return { rate, megabytes: service.peakMegabytes() };
}
