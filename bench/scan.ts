/** `node scan.ts FILE OFFSETS` looks up a JSON array of offsets with @indutny/breakpad, and prints time and memory as JSON. */
import { createReadStream } from "node:fs";
import { symbolicateFrames } from "@indutny/breakpad";
import { peakMegabytes } from "./child.ts";

const [path = "", offsets = "[]"] = process.argv.slice(2);
const start = performance.now();
const frames = await symbolicateFrames(
  createReadStream(path, { highWaterMark: 1024 * 1024 }),
  JSON.parse(offsets) as number[],
);
const milliseconds = performance.now() - start;
const found = frames.filter(Boolean).length;
console.log(JSON.stringify({ milliseconds, megabytes: peakMegabytes("self"), found }));
