/** `node convert.ts FILE DEBUG-FILENAME DEBUG-ID OUT` converts a sym file in a thread, and prints time and memory as JSON. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { peakMegabytes } from "./child.ts";

const [path, debugFilename, debugId, out] = process.argv.slice(2);
const workerData = { path, debugFilename, debugId, out };
const [measured] = (await once(
  new Worker(new URL("converterThread.ts", import.meta.url), { workerData }),
  "message",
)) as [{ milliseconds: number; symcache: number }];
console.log(JSON.stringify({ ...measured, megabytes: peakMegabytes("self") }));
