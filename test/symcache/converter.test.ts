import assert from "node:assert/strict";
import { test } from "node:test";
import { ConversionError, Converter } from "../../src/symcache/convert/converter.ts";
import { convert, module, symFile, wasm } from "../support/symFile.ts";

function reasonOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert(error instanceof ConversionError);
    assert(Buffer.byteLength(error.message) < 1024);
    return error.reason;
  }
  return "none";
}

function reasonOfFirst(piece: string): string {
  using converter = new Converter(wasm, module);
  return reasonOf(() => converter.push(Buffer.from(piece)));
}

const padding = Array.from({ length: 50 }, (_, i) => `FILE ${i} a.c`);

test("creates the same symcache file however the text is split into chunks", () => {
  const text = symFile(...padding, "FUNC 10 10 0 f", "10 8 1 0", "18 8 2 0", "PUBLIC 40 0 p");
  const whole = convert(text, module, text.length);
  for (const length of [1, 2, 3, 7, 64, 321]) assert.deepEqual(convert(text, module, length), whole);
});

test("gives each conversion's hash table another key", (context) => {
  const { Instance } = WebAssembly;
  const keys: string[] = [];
  const observed = function (
    wasmModule: WebAssembly.Module,
    imports: { env: { memory: WebAssembly.Memory } },
  ) {
    const { exports } = new Instance<Record<string, (...parameters: number[]) => number>>(
      wasmModule,
      imports,
    );
    const converter_new = (filenameLength: number, idLength: number) => {
      const at = (exports["inbox"]!(0) >>> 0) + filenameLength + idLength;
      keys.push(Buffer.from(imports.env.memory.buffer, at, 16).toString("hex"));
      return exports["converter_new"]!(filenameLength, idLength);
    };
    return { exports: { ...exports, converter_new } };
  };
  context.mock.method(WebAssembly, "Instance", observed as never);
  for (let conversion = 0; conversion < 5; conversion++) new Converter(wasm, module)[Symbol.dispose]();
  assert.equal(new Set(keys).size, 5);
});

test("rejects an invalid debug id", () => {
  const bad = { ...module, debugId: "not an id" };
  assert.equal(
    reasonOf(() => new Converter(wasm, bad)),
    "bad_debug_id",
  );
});

test("rejects another module's sym file and an error page with the first chunk", () => {
  const text = symFile(...padding).toString();
  assert.equal(reasonOfFirst(text), "none");
  assert.equal(reasonOfFirst(text.replace("10 a.so", "20 a.so")), "sym_debug_id_lookup_error");
  assert.equal(reasonOfFirst("<!doctype html>"), "not_a_sym_file");
});

test("rejects a sym file with an invalid record, with a short message for a long line", () => {
  assert.equal(
    reasonOf(() => convert(symFile("FUNC zz 10 0 f"))),
    "sym_malformed",
  );
  assert.equal(
    reasonOf(() => convert(symFile(`FUNC zz ${'"\u{1F4A9}'.repeat(500_000)}`), module, 1 << 20)),
    "sym_malformed",
  );
  assert.equal(
    reasonOf(() => convert(Buffer.from(""))),
    "not_a_sym_file",
  );
});

/** In descending order, so that they have to be sorted at the end. */
const manySymbols = symFile(
  ...Array.from({ length: 60_000 }, (_, i) => `PUBLIC ${(1e6 - 16 * i).toString(16)} 0 symbol ${i}`),
);

/** Where its conversion needs more memory than `maxMemoryBytes`, and the memory that it had then. */
function limitedConversion(maxMemoryBytes: number) {
  using converter = new Converter(wasm, module, maxMemoryBytes);
  const steps: [string, () => void][] = [
    ["push", () => converter.push(manySymbols)],
    ["finish", () => converter.finish()],
    ["copy", () => converter.copy()],
  ];
  const [failing] = steps.find(([, step]) => reasonOf(step) === "too_large") ?? ["nothing"];
  return { failing, memoryBytes: converter.memoryBytes };
}

test("rejects a sym file in the step that needs more memory than it may take", () => {
  const results = Array.from({ length: 30 }, (_, i) => (i + 8) * 500_000).map((maxMemoryBytes) => ({
    maxMemoryBytes,
    ...limitedConversion(maxMemoryBytes),
  }));
  for (const { memoryBytes, maxMemoryBytes } of results) assert.ok(memoryBytes <= maxMemoryBytes);
  const steps = results.map(({ failing }) => failing).filter((step, i, all) => step !== all[i - 1]);
  assert.deepEqual(steps, ["push", "finish", "copy", "nothing"]);
});

test("releases its memory when disposed", () => {
  const converter = new Converter(wasm, module);
  assert(converter.memoryBytes > 0);
  converter[Symbol.dispose]();
  assert.equal(converter.memoryBytes, 0);
  assert.throws(() => converter.push(symFile()));
});
