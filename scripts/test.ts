/**
 * `npm test`: all tests, several files at a time. `npm test -- FILE…` runs these files only, `npm test -- --name REGEXP` the
 * tests whose names match.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";

// Test files, and the services that they start, load the same modules.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "../node_modules/.cache/tseliot-tests");

const { values, positionals } = parseArgs({ options: { name: { type: "string" } }, allowPositionals: true });
const files = globSync(positionals.length > 0 ? positionals : "test/**/*.test.ts");
if (files.length === 0) throw new Error(`there is no file ${positionals.join(" ")}`);
// Most files wait for processes, timeouts or a disk much of the time.
const tests = run({ files, concurrency: 2, testNamePatterns: values.name ?? [] });
tests.on("test:fail", () => {
  process.exitCode = 1;
});
tests.compose(spec).pipe(process.stdout);
