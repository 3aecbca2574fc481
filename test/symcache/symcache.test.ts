import assert from "node:assert/strict";
import { test } from "node:test";
import { Symcache, SymcacheDamaged } from "../../src/symcache/symcache.ts";
import { WasmInstance } from "../../src/symcache/wasmInstance.ts";
import { convert, module, open, readFrom, rows, symFile, wasm } from "../support/symFile.ts";

const text = symFile(
  "FILE 0 hg:hg.mozilla.org/mozilla-central:dom/x/../a.cpp:abc",
  "FILE 1 b.cpp",
  "INLINE_ORIGIN 0 callee",
  "FUNC 1000 40 0 caller",
  "INLINE 0 21 0 0 1010 10",
  "1000 10 20 0",
  "1010 10 5 1",
  "1020 20 22 0",
  "PUBLIC 2000 0 symbol",
);

test("returns locations in the request's order, innermost call first", () => {
  using symcache = open(convert(text));
  const locations = symcache.lookUp(Uint32Array.of(0x1018, 0xffff_ffff, 0x1000, 0xfff, 0x1018));
  const callee = ["callee b.cpp:5", "caller hg:hg.mozilla.org/mozilla-central:dom/a.cpp:abc:21"];
  const caller = ["caller hg:hg.mozilla.org/mozilla-central:dom/a.cpp:abc:20"];
  assert.deepEqual(rows(locations), [callee, ["symbol :0"], caller, [], callee]);
  assert.deepEqual([...locations.functionStarts], [0x1000, 0x2000, 0x1000, 0, 0x1000]);
  const inlines = [{ function: "callee", file: "b.cpp", line: 5 }];
  const file = "hg:hg.mozilla.org/mozilla-central:dom/a.cpp:abc";
  const outermost = [...locations.ends].map((end, i) => {
    const start = locations.ends[i - 1] ?? 0;
    return JSON.parse(`{${Buffer.from(locations.text.subarray(start, end)).toString()}}`) as unknown;
  });
  const called = { function: "caller", file, line: 21, inlines };
  assert.deepEqual(outermost, [
    called,
    { function: "symbol" },
    { function: "caller", file, line: 20 },
    {},
    called,
  ]);
  assert.equal(symcache.moduleName, "a.so");
});

test("returns columns in one buffer with nothing else in it", () => {
  using symcache = open(convert(text));
  const columns = Object.values(symcache.lookUp(Uint32Array.of(0x1018)));
  assert.equal(new Set(columns.map(({ buffer }) => buffer)).size, 1);
  const bytes = columns.reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.equal(columns[0]?.buffer.byteLength, bytes);
});

test("returns nothing for no offsets", () => {
  using symcache = open(convert(text));
  assert.deepEqual([...symcache.lookUp(new Uint32Array()).starts], [0]);
});

test("returns the code file's name for a Windows module", () => {
  using symcache = open(convert(symFile("INFO CODE_ID 5E6D1A2B3C000 a.dll")));
  assert.equal(symcache.moduleName, "a.dll");
});

test("looks up in many symcaches of one instance, and in the others when one is closed", () => {
  const instance = new WasmInstance(wasm);
  const symcaches = Array.from({ length: 20 }, (_, i) => {
    const file = convert(symFile(`PUBLIC ${(i + 1).toString(16)} 0 p${i}`));
    return Symcache.open(instance, readFrom(file), file.length, module);
  });
  symcaches[7]![Symbol.dispose]();
  assert.throws(() => symcaches[7]!.lookUp(Uint32Array.of(8)));
  for (const [i, symcache] of symcaches.entries())
    if (i !== 7) assert.deepEqual(rows(symcache.lookUp(Uint32Array.of(i, i + 1))), [[], [`p${i} :0`]]);
});

test("reports damage to a file instead of returning wrong locations", () => {
  const file = convert(text);
  for (let at = 0; at < file.length; at += 3) {
    const damaged = file.slice();
    damaged[at]! ^= 1 << (at % 8);
    assert.throws(() => open(damaged).lookUp(Uint32Array.of(0x1018)), SymcacheDamaged, `byte ${at}`);
    assert.throws(() => open(file.subarray(0, at)), SymcacheDamaged, `cut to ${at}`);
  }
  assert.throws(() => open(file, { ...module, debugFile: "b.so" }), SymcacheDamaged);
});

test("throws read errors, and keeps working afterwards", () => {
  const file = convert(text);
  const instance = new WasmInstance(wasm);
  const failure = new Error("EIO");
  assert.throws(
    () =>
      Symcache.open(
        instance,
        () => {
          throw failure;
        },
        file.length,
        module,
      ),
    failure,
  );
  using symcache = Symcache.open(instance, readFrom(file), file.length, module);
  assert.deepEqual(rows(symcache.lookUp(Uint32Array.of(0x2000))), [["symbol :0"]]);
});
