import assert from "node:assert/strict";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { moduleId } from "../../src/identity/moduleId.ts";
import { ResultTooLarge, textLeft, type TextLeft } from "../../src/symcache/lookup/locations.ts";
import { LookupPool } from "../../src/symcache/lookup/lookupPool.ts";
import { ThreadEnded } from "../../src/threads/thread.ts";
import { convert, module, open, rows, symFile, wasm } from "../support/symFile.ts";

const folder = mkdtempSync(join(tmpdir(), "tseliot-lookups-"));
after(() => rmSync(folder, { recursive: true }));

/** A symcache of 5 MB. */
const publics = 50_000;
const large = convert(
  symFile(
    ...Array.from(
      { length: publics },
      (_, i) => `PUBLIC ${(16 * i).toString(16)} 0 mozilla::symbol<${i}>::of(int)`,
    ),
  ),
  module,
  1e6,
);
const offsets = () => Uint32Array.from({ length: 1000 }, (_, i) => (i * 7919 * 16 + 3) % (16 * publics));
const usage = (left: TextLeft) => ({
  textLeft: left,
  owner: {},
  reserve: () => true,
  signal: new AbortController().signal,
});
const enough = usage(textLeft(1e12));
const expected = rows(open(large).lookUp(offsets()));

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
  return path;
}

/** The only slice of a result. */
function found(response: Awaited<ReturnType<LookupPool["lookUp"]>>) {
  assert.equal(response.kind, "found");
  assert.equal(response.locations.length, 1);
  return { locations: response.locations[0]! };
}

/** Bytes that this process, its threads included, has read so far. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

/** Looks one offset up again and again until the symcache is in memory, which takes reading all of it. */
async function lookUpUntilReadAhead(lookups: LookupPool, path: string) {
  // Until then a starting thread reads more than the symcache.
  await lookups.selfTest();
  const before = bytesRead();
  for (let time = 0; bytesRead() - before < large.length; time++) {
    assert.ok(time < 500, "not read ahead after 500 lookups");
    found(await lookups.lookUp(module, path, Uint32Array.of(0), enough));
    await setTimeout(5);
  }
}

/** Whether lookups in all places of the symcache read less than 100 KB. */
async function isInMemory(lookups: LookupPool, path: string): Promise<boolean> {
  await lookups.selfTest();
  const before = bytesRead();
  assert.deepEqual(rows(found(await lookups.lookUp(module, path, offsets(), enough)).locations), expected);
  return bytesRead() - before < 1e5;
}

/** Paths of files that this process, its threads included, has open in the folder. */
function openFiles(): string[] {
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return links.filter((path) => path.startsWith(folder));
}

for (const memory of [1, 64e6, 1e9]) {
  test(`returns the same with ${memory} bytes of memory, before and after reading ahead`, async () => {
    await using lookups = new LookupPool(wasm, 2, memory, 60_000);
    const path = fileOf("equal.symc", large);
    for (let time = 0; time < 8; time++) {
      const { locations } = found(await lookups.lookUp(module, path, offsets(), enough));
      assert.deepEqual(rows(locations), expected);
    }
    if (memory === 1) return;
    await lookUpUntilReadAhead(lookups, fileOf("equal.symc", large));
    assert.equal(await isInMemory(lookups, path), true);
  });
}

test("reads ahead only as many repeatedly used symcaches as fit", async () => {
  // Half of so little memory is for pages.
  const memory = 5 * large.length;
  await using lookups = new LookupPool(wasm, 1, memory, 60_000);
  const paths = ["first.symc", "second.symc", "third.symc"].map((name) => fileOf(name, large));
  const useAll = async () => {
    for (const path of paths) found(await lookups.lookUp(module, path, Uint32Array.of(0), enough));
    await setTimeout(5);
  };
  await useAll();
  const start = bytesRead();
  while (bytesRead() - start < 2 * large.length) await useAll();
  for (let time = 0; time < 20; time++) await useAll();
  assert.ok(bytesRead() - start < 2.5 * large.length, `${bytesRead() - start} bytes were read`);
});

test("reads ahead symcaches of the last run, and detects a damaged one", async () => {
  await using lookups = new LookupPool(wasm, 2, 1e9, 60_000);
  const [sound, damaged] = [fileOf("sound.symc", large), fileOf("damaged.symc", large.subarray(1))];
  const bytes = large.length;
  await lookups.readAhead(
    [sound, damaged, join(folder, "gone.symc")].map((path) => ({ module, path, bytes })),
  );
  assert.equal(await isInMemory(lookups, sound), true);
  assert.equal((await lookups.lookUp(module, damaged, offsets(), enough)).kind, "damaged");
});

test("starts no thread after it has been closed", async () => {
  const lookups = new LookupPool(wasm, 2, 1e9, 60_000);
  await lookups[Symbol.asyncDispose]();
  let started = 0;
  const count = () => void started++;
  process.on("worker", count);
  const path = fileOf("ended.symc", large);
  await assert.rejects(lookups.lookUp(module, path, offsets(), enough), ThreadEnded);
  await lookups.readAhead([{ module, path, bytes: large.length }]);
  process.off("worker", count);
  assert.equal(started, 0);
});

test("passes its self-test during a long lookup", async () => {
  await using lookups = new LookupPool(wasm, 2, 100e6, 60_000);
  const path = fileOf("long", large);
  let isOver = false;
  const many = Uint32Array.from({ length: 3_000_000 }, (_, i) => (i * 7919 * 16 + 3) % (16 * publics));
  const response = lookups.lookUp(module, path, many, enough).finally(() => (isOver = true));
  await lookups.selfTest();
  assert.equal(isOver, false);
  assert.equal((await response).kind, "found");
});

test("uses a file that replaced an open one", async () => {
  await using lookups = new LookupPool(wasm, 1, 1e9, 60_000);
  const path = fileOf("replaced.symc", large);
  await lookUpUntilReadAhead(lookups, path);
  for (const name of ["one", "another"]) {
    fileOf("replaced.symc", convert(symFile(`PUBLIC 0 0 ${name}`)));
    const { locations } = found(await lookups.lookUp(module, path, Uint32Array.of(0), enough));
    assert.deepEqual(rows(locations), [[`${name} :0`]]);
  }
  rmSync(path);
  assert.deepEqual(await lookups.lookUp(module, path, offsets(), enough), { kind: "missing" });
});

test("detects damage to a file that was overwritten while it was open or read ahead", async () => {
  await using lookups = new LookupPool(wasm, 1, 1e9, 60_000);
  for (const isReadAhead of [false, true]) {
    const path = fileOf("written.symc", large);
    if (isReadAhead) await lookUpUntilReadAhead(lookups, path);
    else found(await lookups.lookUp(module, path, offsets(), enough));
    // Longer than the disk's clock ticks.
    await setTimeout(20);
    writeFileSync(path, large.slice().fill(0, 100, 200_000));
    assert.equal((await lookups.lookUp(module, path, offsets(), enough)).kind, "damaged");
  }
});

test("detects damage during read-ahead in pages that no lookup needs", async () => {
  await using lookups = new LookupPool(wasm, 1, 1e9, 60_000);
  const damaged = large.slice();
  damaged[damaged.length >> 1]! ^= 1;
  const path = fileOf("hidden.symc", damaged);
  const kinds = new Set<string>();
  for (let time = 0; time < 100 && !kinds.has("damaged"); time++) {
    kinds.add((await lookups.lookUp(module, path, Uint32Array.of(0), enough)).kind);
    await setTimeout(5);
  }
  assert.deepEqual([...kinds], ["found", "damaged"]);
});

test("keeps a limited number of files open between lookups", async () => {
  await using lookups = new LookupPool(wasm, 1, 64e6, 60_000);
  const modules = Array.from({ length: 300 }, (_, i) => moduleId(`${i}.so`, module.debugId));
  for (const of of modules) {
    const path = fileOf(of.debugFile, convert(symFile(`PUBLIC 0 0 ${of.debugFile}`), of));
    for (let time = 0; time < 2; time++) {
      const { locations } = found(await lookups.lookUp(of, path, Uint32Array.of(1), enough));
      assert.deepEqual(rows(locations), [[`${of.debugFile} :0`]]);
    }
    assert.equal(openFiles().filter((name) => name === path).length, 1);
  }
  assert.ok(openFiles().length <= 128, `${openFiles().length} files are open`);
});

test("returns the results of a lookup of very many offsets in slices", async () => {
  const functions = Array.from({ length: 3000 }, (_, i) => {
    const [start, call] = [64 * i, 64 * i + 16].map((address) => address.toString(16));
    const inlined = i % 3 ? [`INLINE 0 ${i} 0 ${i % 7} ${call} 10`] : [];
    return [`FUNC ${start} 20 0 outer${i}()`, ...inlined, `${start} 20 ${i} ${i % 3}`];
  });
  const origins = Array.from({ length: 7 }, (_, i) => `INLINE_ORIGIN ${i} inlined${i}()`);
  const bytes = convert(symFile("FILE 0 even.cpp", "FILE 1 odd.cpp", ...origins, ...functions.flat()));
  const path = fileOf("joined.symc", bytes);
  await using lookups = new LookupPool(wasm, 1, 64e6, 60_000);
  for (const count of [0, 1, 8192, 8193, 50_000]) {
    const places = Uint32Array.from({ length: count }, (_, i) => (i * 7919 * 8) % (64 * 3000));
    const response = await lookups.lookUp(module, path, places, enough);
    assert.equal(response.kind, "found");
    assert.equal(response.locations.length, Math.max(1, Math.ceil(count / 8192)));
    const symcache = open(bytes);
    for (const [index, slice] of response.locations.entries())
      assert.deepEqual(slice, symcache.lookUp(places.slice(8192 * index, 8192 * (index + 1))));
  }
});

test("lets the lookups of requests take turns", async () => {
  await using lookups = new LookupPool(wasm, 1, 1e9, 60_000);
  const path = fileOf("turns.symc", large);
  const order: string[] = [];
  const lookUp = async (name: string, count: number) => {
    const places = Uint32Array.from({ length: count }, (_, i) => (i * 7919 * 16 + 3) % (16 * publics));
    const response = await lookups.lookUp(module, path, places, usage(textLeft(1e12)));
    assert.equal(response.kind, "found");
    order.push(name);
  };
  await Promise.all([...Array.from({ length: 3 }, () => lookUp("large", 400_000)), lookUp("small", 500)]);
  assert.deepEqual(order, ["small", "large", "large", "large"]);
});

test("refuses a lookup whose slices take more memory than the request may have", async () => {
  await using lookups = new LookupPool(wasm, 1, 1e9, 60_000);
  const path = fileOf("refused.symc", large);
  let slices = 0;
  const most3 = { ...usage(textLeft(1e12)), reserve: () => ++slices <= 3 };
  const places = new Uint32Array(100_000);
  assert.deepEqual(await lookups.lookUp(module, path, places, most3), { kind: "refused" });
  assert.equal(slices, 4);
});

test("returns no more text than a request has left, and starts no lookup after one that exceeds it", async () => {
  await using lookups = new LookupPool(wasm, 2, 64e6, 60_000);
  const path = fileOf("text.symc", large);
  const one = Uint32Array.of(0);
  const { text } = open(large).lookUp(one);
  const left = textLeft(2 * text.length + 1);
  for (const rest of [text.length + 1, 1]) {
    found(await lookups.lookUp(module, path, one, usage(left)));
    assert.equal(Number(left[0]), rest);
  }
  await assert.rejects(lookups.lookUp(module, path, one, usage(left)), ResultTooLarge);
  await assert.rejects(lookups.lookUp(module, "/nowhere", one, usage(left)), ResultTooLarge);
});
