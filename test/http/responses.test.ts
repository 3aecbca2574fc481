import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { startTestService, temporaryFolder } from "../support/service.ts";

const symbols = await temporaryFolder();
after(() => symbols[Symbol.asyncDispose]());
const service = await startTestService({ ELIOT_SYMBOLS_URLS: pathToFileURL(symbols.path).href });
after(() => service[Symbol.asyncDispose]());

const debugId = "0123456789ABCDEF0123456789ABCDEF0";

async function addSymFile(debugFilename: string, ...records: string[]) {
  const folder = join(symbols.path, debugFilename, debugId);
  await mkdir(folder, { recursive: true });
  const text = [`MODULE Linux x86_64 ${debugId} ${debugFilename}`, ...records, ""].join("\n");
  await writeFile(join(folder, `${debugFilename}.sym`), text);
}

/** All that JSON escapes and a record can hold, and some that it doesn't. */
const characters = Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code))
  .filter((character) => !"\0\n\r".includes(character))
  .concat('"', "\\", "/", "\u007f", "é", "\u2028", "字", "🦊");

test("writes names and paths as JSON.stringify() does, in v5 and v4", async () => {
  const names = characters.map((character) => `f${character}${character}g`);
  await addSymFile(
    "escaped.so",
    ...names.map((name, i) => `FILE ${i} ${name.replaceAll(/[\\/]/g, "_")}.c`),
    ...names.map((name, i) => `INLINE_ORIGIN ${i} ${name}`),
    ...names.flatMap((name, i) => {
      const start = (0x10 * (i + 1)).toString(16);
      return [`FUNC ${start} 10 0 ${name}`, `INLINE 0 7 ${i} ${i} ${start} 8`, `${start} 10 5 ${i}`];
    }),
  );
  const stack = names.map((_, i) => [0, 0x10 * (i + 1)]);
  const body = JSON.stringify({ memoryMap: [["escaped.so", debugId]], stacks: [stack] });
  const frames = names.map((name, frame) => {
    const file = `${name.replaceAll(/[\\/]/g, "_")}.c`;
    const module_offset = `0x${(0x10 * (frame + 1)).toString(16)}`;
    const known = { function_offset: "0x0", function: name, file, line: 7 };
    const inlines = [{ function: name, file, line: 5 }];
    return { frame, module: "escaped.so", module_offset, ...known, inlines };
  });
  const found_modules = { [`escaped.so/${debugId}`]: true };
  const v5 = await service.post("/symbolicate/v5", body);
  assert.equal(await v5.text(), JSON.stringify({ results: [{ stacks: [frames], found_modules }] }));
  const v4 = await service.post("/symbolicate/v4", body);
  const lines = names.map((name) => `${name} (in escaped.so)`);
  assert.equal(await v4.text(), JSON.stringify({ symbolicatedStacks: [lines], knownModules: [true] }));
});

test("answers 413 if a response would exceed the limit while it is built, and keeps the symcache", async () => {
  const depth = 5000;
  const inlines = Array.from({ length: depth }, (_, level) => `INLINE ${level} 1 0 0 10 10`);
  await addSymFile("deep.so", "FILE 0 a.c", "INLINE_ORIGIN 0 g", "FUNC 10 10 0 f", ...inlines, "10 10 2 0");
  const ask = (frames: number) => ({
    memoryMap: [["deep.so", debugId]],
    stacks: [Array.from({ length: frames }, () => [0, 0x10])],
  });
  const few = await service.symbolicate(ask(2));
  const calls = few.results[0]?.stacks[0]?.[1]?.["inlines"] as unknown[] | undefined;
  assert.equal(calls?.length, depth);
  for (const version of ["v4", "v5"]) {
    const many = await service.post(`/symbolicate/${version}`, JSON.stringify(ask(4000)));
    assert.equal(many.status, 413);
    assert.deepEqual(await many.json(), { title: "the answer would be too large: ask for fewer frames" });
  }
  const again = await service.symbolicate(ask(1));
  assert.equal(again.debug.modules.status_per_module[`deep.so/${debugId}`]?.status, "cached");
});

test("lists each of many modules once", async () => {
  const memoryMap = Array.from({ length: 100_000 }, (_, i) => [i.toString(36), i % 2 ? "A" : ""]);
  const body = JSON.stringify({ memoryMap: [...memoryMap, ["0", ""]], stacks: [[[5, 1]]] });
  const response = await service.post("/symbolicate/v5", body);
  const { results } = (await response.json()) as { results: { found_modules: object }[] };
  const keys = Object.keys(results[0]?.found_modules ?? {});
  assert.equal(keys.length, memoryMap.length);
  assert.equal(keys[99_999], `${(99_999).toString(36)}/A`);
  assert.deepEqual(results[0]?.found_modules["5/A" as keyof object], false);
});
