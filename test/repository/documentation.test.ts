import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { glob, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { allSettings } from "../../src/config/readConfig.ts";
import { catalogue } from "../../src/observability/metrics.ts";
import { startTestService, temporaryFolder } from "../support/service.ts";

const root = new URL("../../", import.meta.url);
const run = promisify(execFile);

test("has up-to-date generated tables", async () => {
  await run(process.execPath, ["scripts/docs.ts", "--check"], { cwd: root });
});

const settings = allSettings.map(({ variable }) => variable);
const operations = await readFile(new URL("docs/operations.md", root), "utf8");

test("names only existing variables and metrics", async () => {
  const pages = (await readdir(new URL("docs/", root))).filter((name) => name.endsWith(".md"));
  for (const page of ["README.md", ...pages.map((name) => `docs/${name}`)]) {
    const text = await readFile(new URL(page, root), "utf8");
    const variables = [...text.matchAll(/\bELIOT_[A-Z_]+/g)].map(([variable]) => variable);
    const metrics = [...text.matchAll(/`eliot\.([a-z_.]+)`/g)].map(([, metric = ""]) => metric);
    assert.deepEqual(variables.filter((variable) => !settings.includes(variable)), [], page); // prettier-ignore
    assert.deepEqual(metrics.filter((metric) => !(metric in catalogue) && metric !== "app"), [], page); // prettier-ignore
  }
});

test("documents every variable for operators", () => {
  const others = ["PORT", "ELIOT_HOST", "ELIOT_SYMBOLS_URLS"];
  const variables = settings.filter((variable) => !others.includes(variable));
  assert.deepEqual(variables.filter((variable) => !new RegExp(`\\b${variable}\\b`).test(operations)), []); // prettier-ignore
});

test("has an alert for every metric that counts failures", () => {
  const [, alerts = ""] = /## Alerts([^]*?)\n## /.exec(operations) ?? [];
  /** How large requests are, and how full the folder is. */
  const others = [
    "symbolicate.jobs_count",
    "symbolicate.stacks_count",
    "symbolicate.frames_count",
    "diskcache.usage",
  ];
  const metrics = Object.keys(catalogue).filter((metric) => !others.includes(metric));
  assert.deepEqual(metrics.filter((metric) => !alerts.includes(`\`eliot.${metric}\``)), []); // prettier-ignore
});

test("documents every check of the heartbeat", async () => {
  await using service = await startTestService();
  const response = await fetch(`${service.url}/__heartbeat__`);
  const { checks } = (await response.json()) as { checks: object };
  const [, table = ""] = /\| check of `\/__heartbeat__`([^]*?)\n\n/.exec(operations) ?? [];
  const told = [...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, check]) => check);
  assert.deepEqual(new Set(told), new Set(Object.keys(checks)));
});

test("has a picture in docs/architecture.md that allows every import between the folders of src", async () => {
  const page = await readFile(new URL("docs/architecture.md", root), "utf8");
  const [, picture = ""] = /```mermaid\n([^]*?)```/.exec(page) ?? [];
  const arrows = [...picture.matchAll(/^ *(\w+)\S*.*? --> (\w+)/gm)].map(([, from = "", to = ""]) => ({
    from,
    to,
  }));
  const below = (folder: string): Set<string> =>
    new Set(arrows.filter(({ from }) => from === folder).flatMap(({ to }) => [to, ...below(to)]));
  for await (const file of glob("src/**/*.ts", { cwd: root })) {
    const folderOf = (path: string) => /^(?:src\/)?(\w+)/.exec(path)?.[1] ?? "";
    const folder = folderOf(file);
    const text = await readFile(new URL(file, root), "utf8");
    for (const [, path = ""] of text.matchAll(/(?:from|import) ?\(?"(\.[^"]+\.ts)"/g)) {
      const imported = folderOf(relative(".", join(dirname(file), path)));
      assert.ok(imported === folder || below(folder).has(imported), `${file} imports ${path}`);
    }
  }
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

test("shows the actual response of the example in the README", async () => {
  const { answers, shown } = await examplesOf("README.md");
  assert.equal(answers.length, 1);
  assert.deepEqual(answers, shown);
});

test("shows the actual responses of the examples in docs/api.md", async () => {
  const { answers, shown } = await examplesOf("docs/api.md");
  assert.equal(answers.length, 4);
  assert.deepEqual(answers.slice(1, 3), shown);
  assert.match(JSON.stringify(answers[0]), /d_print_comp_inner/);
});

test("shows the actual output of the example in docs/cli.md", async () => {
  const text = await readFile(new URL("docs/cli.md", root), "utf8");
  const [, example = "", shown] = /```sh\n([^]*?)```\n\n```text\n([^]*?)```/.exec(text) ?? [];
  const command = example.replace("npx tseliot", `"${process.execPath}" src/cli/main.ts`);
  await using folder = await temporaryFolder();
  const env = { ...process.env, ELIOT_SYMBOLS_CACHE_DIR: folder.path };
  const { stdout } = await run("sh", ["-c", command], { cwd: root, env });
  assert.equal(stdout, shown);
});

test("symbolicates crash pings with the curl and Python examples of docs/crash-pings.md", async () => {
  await using service = await startTestService();
  await using folder = await temporaryFolder();
  const page = await readFile(new URL("docs/crash-pings.md", root), "utf8");
  const blocks = [...page.matchAll(/```(sh|python)\n([^]*?)```/g)];
  const [extract, byCurl, compressed, top, inPython] = blocks.map(([, program = "", text = ""]) => {
    const source = text.replaceAll("http://localhost:8000", service.url);
    const command = program === "sh" ? ["sh", ["-c", source]] : ["python3", ["-c", source]];
    return async () => (await run(...(command as [string, string[]]), { cwd: folder.path })).stdout;
  });
  const stackTraces = {
    crash_thread: 1,
    modules: [
      { base_address: "0x1000", debug_file: "libstdc++.so.6", debug_id: "0CEFB84AE0DEB3F9900D2B90425BB3280" },
      { base_address: "0x0", debug_file: "overloaded.so", debug_id: "A" },
    ],
    threads: [
      {},
      {
        frames: [
          { ip: 811418 + 0x1000, module_index: 0 },
          { ip: 1, module_index: 1 },
        ],
      },
    ],
  };
  await mkdir(join(folder.path, "pings"));
  const write = (name: string, ping: object) =>
    writeFile(join(folder.path, "pings", name), JSON.stringify(ping, undefined, 2));
  await write("1.json", { payload: { stackTraces } });
  await write("2.json", { payload: { reason: "no stack" } });
  await write("3.json", { metrics: { object: { "crash.stack_traces": { ...stackTraces, threads: 5 } } } });
  await extract?.();
  const answers = async () =>
    parseLines(await readFile(join(folder.path, "symbolicated.ndjson"), "utf8")) as Record<string, unknown>[];
  const error = { title: "job is invalid: threads must be a list" };

  await byCurl?.();
  const [first, second, ...others] = await answers();
  assert.deepEqual([second, others], [{ error }, []]);
  assert.match(JSON.stringify(first), /"inlined":true,"function":"d_append_char".*"function":"d_print_mod"/);
  assert.equal(await top?.(), "libstdc++.so.6 d_append_char\n? ?\n");
  await compressed?.();
  assert.match(JSON.stringify((await answers())[0]), /"function":"d_print_mod".*"inlines":\[/);
  await inPython?.();
  const [debugged, ...rest] = await answers();
  assert.deepEqual({ ...debugged, debug: undefined }, { ...first, debug: undefined });
  assert.deepEqual(rest, [{ error }]);
});

test("requests a module of the sample symbols in docs/deploy.md", async () => {
  const { answers } = await examplesOf("docs/deploy.md");
  assert.equal(answers.length, 1);
  assert.match(JSON.stringify(answers), /"function":.*"xfs\.ko\/0889C6CDC1D5161AB8CE01CEE8CE53DF0":true/);
});

test("has a demo that works without a network", async () => {
  const { stdout } = await run(process.execPath, ["demo/demo.ts"], { cwd: root });
  assert.match(stdout, /BTreeMap<K,V,A>::insert .* in rustsample/);
  assert.match(stdout, /not found {2}nosuch\.so/);
});
