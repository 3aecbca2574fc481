import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { promisify } from "node:util";
import { startTestService } from "./service.ts";

const root = new URL("../", import.meta.url);
const run = promisify(execFile);

test("has tables that the code would write", async () => {
  await run(process.execPath, ["scripts/docs.ts", "--check"], { cwd: root });
});

/** Runs the `curl` examples of a page against a service of its own, and gives the lines of each answer. */
async function examplesOf(page: string): Promise<{ answers: unknown[][]; shown: unknown[][] }> {
  await using service = await startTestService();
  const text = await readFile(new URL(page, root), "utf8");
  const examples = [...text.matchAll(/```sh\n(curl [^]*?)```/g)].map(([, example = ""]) => example);
  const answers = examples.map(async (example) => {
    const command = example.replaceAll("http://localhost:8000", service.url);
    const { stdout } = await run("sh", ["-c", command.replace("curl", "curl --silent")]);
    return parseLines(stdout);
  });
  const shown = [...text.matchAll(/```(jsonl?)\n([^]*?)```/g)].map(([, form, json = ""]) =>
    form === "json" ? [JSON.parse(json) as unknown] : parseLines(json),
  );
  return { answers: await Promise.all(answers), shown };
}

function parseLines(text: string): unknown[] {
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

test("shows in the README what its example answers", async () => {
  const { answers, shown } = await examplesOf("README.md");
  assert.equal(answers.length, 1);
  assert.deepEqual(answers, shown);
});

test("shows in docs/api.md what its examples answer", async () => {
  const { answers, shown } = await examplesOf("docs/api.md");
  assert.equal(answers.length, 3);
  assert.deepEqual(answers.slice(1), shown);
  assert.match(JSON.stringify(answers[0]), /d_print_comp_inner/);
});

test("has a demo that works without a network", async () => {
  const { stdout } = await run(process.execPath, ["demo/demo.ts"], { cwd: root });
  assert.match(stdout, /BTreeMap<K,V,A>::insert .* in rustsample/);
  assert.match(stdout, /no symbols {2}nosuch\.so/);
});
