/**
 * Writes a synthetic processed profile, of version 50, of about the given size to standard output.
 *
 *     node bench/makeLargeProfile.ts MEGABYTES [THREADS] > profile.json
 */
import { once } from "node:events";

const [megabytes = 700, threadCount = 8] = process.argv.slice(2).map(Number);
const bytesPerThread = (megabytes * 1e6) / threadCount;
const libstdc = {
  name: "libstdc++.so.6",
  debugName: "libstdc++.so.6",
  breakpadId: "0CEFB84AE0DEB3F9900D2B90425BB3280",
};
/** Bytes of JSON per sample, with its marker and a share of the tables. */
const bytesPerSample = 130;

async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

async function writeColumn(name: string, length: number, valueAt: (index: number) => unknown): Promise<void> {
  await write(`"${name}":[`);
  const batch = 10_000;
  for (let start = 0; start < length; start += batch) {
    const count = Math.min(batch, length - start);
    const values = Array.from({ length: count }, (_, index) => JSON.stringify(valueAt(start + index)));
    await write(`${start > 0 ? "," : ""}${values.join(",")}`);
  }
  await write("]");
}

async function writeTable(name: string, length: number, columns: Record<string, (index: number) => unknown>) {
  await write(`"${name}":{"length":${length}`);
  for (const [column, valueAt] of Object.entries(columns)) {
    await write(",");
    await writeColumn(column, length, valueAt);
  }
  await write("}");
}

async function writeThread(index: number): Promise<void> {
  const samples = Math.floor(bytesPerThread / bytesPerSample);
  const stacks = Math.max(2, Math.floor(samples / 3));
  const frames = Math.max(1, Math.min(20_000, Math.floor(samples / 20)));
  const address = (frame: number) => 0xa0000 + ((frame * 97 + index) % 0xd0000);
  await write(
    `${index > 0 ? "," : ""}{"name":"Thread ${index}","processType":"default","registerTime":0,"pid":${index},"tid":${index},`,
  );
  await writeTable("samples", samples, {
    stack: (sample) => (sample * 7919) % stacks,
    time: (sample) => sample + (sample % 1000) / 1000,
    threadCPUDelta: (sample) => sample % 900,
  });
  await write(`,`);
  await writeTable("markers", samples, {
    name: () => 0,
    category: () => 0,
    startTime: (marker) => marker * 1.25,
    endTime: (marker) => marker * 1.25 + 0.5,
    phase: () => 1,
    data: (marker) => ({
      type: "Text",
      name: `marker ${marker} of a page`,
      cause: { stack: marker % stacks, time: marker },
    }),
  });
  await write(`,`);
  await writeTable("stackTable", stacks, {
    frame: (stack) => stack % frames,
    prefix: (stack) => (stack % 40 === 0 ? null : stack - 1),
    category: () => 0,
    subcategory: () => 0,
  });
  await write(`,`);
  await writeTable("frameTable", frames, {
    address,
    inlineDepth: () => 0,
    category: () => 0,
    subcategory: () => 0,
    func: (frame) => frame,
    nativeSymbol: () => null,
    innerWindowID: () => 0,
    line: () => null,
    column: () => null,
  });
  await write(`,`);
  await writeTable("funcTable", frames, {
    isJS: () => false,
    relevantForJS: () => false,
    name: (func) => func + 1,
    resource: () => 0,
    fileName: () => null,
    lineNumber: () => null,
    columnNumber: () => null,
  });
  await write(
    `,"resourceTable":{"length":1,"lib":[0],"name":[0],"host":[null],"type":[1]},"nativeSymbols":{"length":0,"libIndex":[],"address":[],"name":[],"functionSize":[]},`,
  );
  await writeColumn("stringArray", frames + 1, (string) =>
    string === 0 ? "libstdc++.so.6" : `0x${address(string - 1).toString(16)}`,
  );
  await write("}");
}

await write(
  `{"meta":{"version":27,"preprocessedProfileVersion":50,"interval":1,"categories":[{"name":"Other","color":"grey","subcategories":["Other"]}],"markerSchema":[]},"libs":[${JSON.stringify(libstdc)}],"pages":[],"counters":[],"threads":[`,
);
for (let index = 0; index < threadCount; index++) await writeThread(index);
await write("]}\n");
