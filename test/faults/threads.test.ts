/** Threads that end, trap or hang for a reason from outside, which a debugger makes. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { test } from "node:test";
import { reply } from "../support/symbolServer.ts";
import { attachDebugger } from "../support/debugger.ts";
import { syntheticModule, type SyntheticModule } from "../support/syntheticModule.ts";
import { Random, times } from "../support/scale.ts";
import { withoutRetries, startHarness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const converter = "converterThread.ts";
const lookup = "lookupThread.ts";

const exit = "process.exit(3);";
const hang = "for (;;);";
const trap = `throw new WebAssembly.RuntimeError("unreachable");`;
/** The thread does so with nothing to do. */
const idle = (deed: string) => `setImmediate(() => { ${deed} })`;
/** The thread does so when it comes to this function of the crate in its next conversion. */
const inCrate = (name: string, deed: string) => `{
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (module, imports) {
    const { exports } = new Instance(module, imports);
    const ${name} = (...parameters) => { ${deed} return exports.${name}(...parameters); };
    return { exports: { ...exports, ${name} } };
  };
}`;
/** The thread does so when it comes to this function of node:fs. */
const inDisk = (name: string, deed: string) => `{
  const fs = process.getBuiltinModule("node:fs");
  const { ${name} } = fs;
  fs.${name} = (...parameters) => { ${deed} return ${name}(...parameters); };
  process.getBuiltinModule("node:module").syncBuiltinESMExports();
}`;
const sleep = (milliseconds: number) =>
  `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${milliseconds});`;
const fails = `throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC", syscall: "close" });`;

/** A world under a debugger, whose service has one thread of each kind. */
async function startDebugged(modules: SyntheticModule[], env: Record<string, string> = {}) {
  const command = [process.execPath, "--inspect=127.0.0.1:0", "src/main.ts"];
  const settings = { ELIOT_CONVERTERS: "1", ELIOT_LOOKUP_WORKERS: "1", ...withoutRetries, ...env };
  await using starting = new AsyncDisposableStack();
  const harness = starting.use(await startHarness(modules, settings, () => command));
  const address = /ws:\S+/.exec(harness.service.errors.join("\n"))?.[0] ?? "";
  const inspector = starting.use(await attachDebugger(address));
  const running = starting.move();
  return {
    harness,
    /** Evaluates an expression in the threads of this entry, once there is one. */
    async evaluate(entry: string, expression: string) {
      for (let time = 0; (await inspector.evaluate(entry, expression)) === 0; time++) {
        assert.ok(time < 1000, `no thread of ${entry}`);
        await setTimeout(10);
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const [one, other] = [syntheticModule("one.so"), syntheticModule("other.so")];

test("downloads and converts again if a converter exits during a conversion", async () => {
  await using debugged = await startDebugged([one]);
  const { harness } = debugged;
  await debugged.evaluate(converter, inCrate("converter_push", exit));
  assert.deepEqual(await harness.ask(one), ["right, converted"]);
  assert.equal(harness.hits(one), 2);
  assert.deepEqual(await harness.kept(), [one.name]);
});

test("reports a module as failed if its converters keep exiting, and does not remember that", async () => {
  await using debugged = await startDebugged([one, other], { "sources.notFoundTtlMs": "600000" });
  const { harness } = debugged;
  harness.fault(one, async (socket, path) => {
    await debugged.evaluate(converter, inCrate("converter_finish", exit));
    await reply("200 OK", one.symFile)(socket, path);
  });
  assert.deepEqual(await harness.ask(one), ["bare, failed"]);
  assert.equal(harness.hits(one), 2);
  harness.mend(one);
  assert.deepEqual(await harness.ask(one, other), ["right, converted", "right, converted"]);
});

for (const step of ["converter_push", "converter_finish", "symcache_file_write"])
  test(`fails only the sym file at which the converter traps in ${step}, and only once`, async () => {
    await using debugged = await startDebugged([one, other], { "sources.notFoundTtlMs": "600000" });
    const { harness } = debugged;
    await debugged.evaluate(converter, inCrate(step, trap));
    for (let time = 0; time < 2; time++) assert.deepEqual(await harness.ask(one), ["bare, failed"]);
    assert.equal(harness.hits(one), 1);
    assert.deepEqual(await harness.ask(other), ["right, converted"]);
    assert.deepEqual(await harness.kept(), [other.name]);
  });

test("replaces a converter that exits, hangs or traps before it has received any text, and loses nothing", async () => {
  const expressions = [
    idle(exit),
    idle(hang),
    inCrate("converter_new", hang),
    inCrate("converter_new", trap),
  ];
  const modules = expressions.map((_, index) => syntheticModule(`module${index}.so`));
  await using debugged = await startDebugged(modules, { "conversion.stepTimeoutMs": "2000" });
  const { harness } = debugged;
  for (const [index, expression] of expressions.entries()) {
    const module = modules[index]!;
    await debugged.evaluate(converter, expression);
    assert.deepEqual(await harness.ask(module), ["right, converted"], expression);
    assert.equal(harness.hits(module), 1);
  }
});

test("stops a converter that hangs, and converts the waiting sym files", async () => {
  await using debugged = await startDebugged([one, other], {
    "sources.notFoundTtlMs": "600000",
    "conversion.stepTimeoutMs": "2000",
  });
  const { harness } = debugged;
  await debugged.evaluate(converter, inCrate("converter_push", `console.error("hangs"); ${hang}`));
  harness.fault(other, async (socket, path) => {
    await waitUntil(() => harness.hits(one) > 0);
    await reply("200 OK", other.symFile)(socket, path);
  });
  assert.deepEqual(await harness.ask(one), ["bare, timeout"]);
  assert.deepEqual(await harness.ask(one, other), ["bare, timeout", "right, converted"]);
  assert.equal(harness.hits(one), 1);
  assert.deepEqual(await harness.kept(), [other.name]);
});

test("does not remember the failure of a symcache that a hanging disk does not accept", async () => {
  await using debugged = await startDebugged([one], {
    "sources.notFoundTtlMs": "600000",
    "conversion.stepTimeoutMs": "2000",
  });
  const { harness } = debugged;
  await debugged.evaluate(converter, inDisk("writeSync", hang));
  assert.deepEqual(await harness.ask(one), ["bare, failed"]);
  assert.deepEqual(await harness.ask(one), ["right, converted"]);
  assert.deepEqual(await harness.kept(), [one.name]);
});

test("waits for a slow disk as long as there is progress", async () => {
  const large = syntheticModule("large.so", 250_000);
  await using debugged = await startDebugged([large], { "conversion.stepTimeoutMs": "2000" });
  const { harness } = debugged;
  await debugged.evaluate(converter, inDisk("writeSync", sleep(100)));
  assert.deepEqual(await harness.ask(large), ["right, converted"]);
  assert.equal(harness.hits(large), 1);
  assert.deepEqual(await harness.kept(), [large.name]);
});

for (const name of ["openSync", "writeSync", "closeSync"])
  test(`answers without storing a symcache if the disk is full in ${name}`, async () => {
    await using debugged = await startDebugged([one, other]);
    const { harness } = debugged;
    // By then the thread has loaded its modules, for which it may need the disk.
    await harness.ask(other);
    await debugged.evaluate(converter, inDisk(name, fails));
    for (let time = 0; time < 2; time++) assert.deepEqual(await harness.ask(one), ["right, converted"]);
    assert.deepEqual(await harness.kept(), [other.name]);
  });

test("does not mistake a pause of the whole process for a hanging thread", async () => {
  await using debugged = await startDebugged([one], { "conversion.stepTimeoutMs": "2000" });
  const { harness } = debugged;
  const tell = `process.getBuiltinModule("node:fs").writeSync(2, "at work\\n");`;
  await debugged.evaluate(converter, inCrate("converter_push", tell + sleep(500)));
  const answer = harness.ask(one);
  await waitUntil(() => harness.service.errors.includes("at work"));
  harness.service.signal("SIGSTOP");
  await setTimeout(6000);
  harness.service.signal("SIGCONT");
  assert.deepEqual(await answer, ["right, converted"]);
  assert.equal(harness.hits(one), 1);
});

test("returns correct functions while lookup threads exit at random moments", async (t) => {
  const ends = times(10, 500);
  const random = new Random(8);
  const modules = [20_000, 300, 3].map((functions) => syntheticModule(`module${functions}.so`, functions));
  await using debugged = await startDebugged(modules, { ELIOT_LOOKUP_WORKERS: "2" });
  const { harness } = debugged;
  await harness.ask(...modules);
  const over = new AbortController();
  const answers: string[][] = [];
  const client = async () => {
    while (!over.signal.aborted) {
      answers.push(await harness.ask(...modules));
      assert.deepEqual(answers.at(-1), modules.map(() => "right, cached")); // prettier-ignore
    }
  };
  const clients = Promise.all(Array.from({ length: 4 }, client));
  const ending = async () => {
    for (let end = 0; end < ends; end++) {
      await debugged.evaluate(lookup, idle(exit));
      // None of the clients, which ask all the time, may lose three threads in a row.
      for (const enough = answers.length + 8; answers.length < enough;) await setTimeout(1);
      await setTimeout(random.below(50));
    }
    over.abort();
  };
  await Promise.all([clients, ending()]);
  t.diagnostic(`${answers.length} answers while lookup threads ended ${ends} times`);
});

for (const [what, deed] of Object.entries({ hangs: hang, traps: trap }))
  test(`reports a module as failed if its lookup thread ${what}, and answers all others with a new thread`, async () => {
    await using debugged = await startDebugged([one], { "lookup.timeoutMs": "2000" });
    const { harness } = debugged;
    await harness.ask(one);
    await debugged.evaluate(lookup, inDisk("lstatSync", deed));
    const answers = await Promise.all([1, 2, 3].map(() => harness.ask(one)));
    const rest = answers.flat().filter((answer) => answer !== "bare, failed");
    assert.equal(rest.length, 2);
    assert.deepEqual([...new Set(rest)], ["right, cached"]);
    assert.deepEqual(await harness.ask(one), ["right, cached"]);
  });

test("reports a hanging thread to the load balancer, and its recovery", async () => {
  await using debugged = await startDebugged([one], {
    "conversion.stepTimeoutMs": "2000",
    "lookup.timeoutMs": "2000",
  });
  const { harness } = debugged;
  const heartbeat = async () => {
    const response = await fetch(`${harness.service.url}/__heartbeat__`);
    const { checks } = (await response.json()) as { checks: Record<string, string> };
    return [response.status, checks["lookup_threads"], checks["converter_threads"]];
  };
  for (const entry of [lookup, converter]) await debugged.evaluate(entry, idle(hang));
  assert.deepEqual(await heartbeat(), [503, "error", "error"]);
  await waitUntil(async () => (await heartbeat())[0] !== 503);
  assert.deepEqual(await heartbeat(), [200, "ok", "ok"]);
  assert.deepEqual(await harness.ask(one), ["right, converted"]);
});

/** A user whom nobody else is, without root's right to as many threads as it likes. */
const [program, ...options] = ["setpriv", "--reuid=64123", "--clear-groups"] as const;
const canBound =
  process.getuid?.() === 0 && spawnSync(program, [...options, "prlimit", "--version"]).status === 0;

test(
  "works with fewer threads if the system can start no more, and starts them later",
  { skip: canBound ? false : "to bound another user's threads needs root, setpriv and prlimit" },
  async () => {
    const modules = Array.from({ length: 8 }, (_, index) => syntheticModule(`module${index}.so`));
    const [first, large, next, ...others] = modules as [
      SyntheticModule,
      SyntheticModule,
      SyntheticModule,
      ...SyntheticModule[],
    ];
    const start = `chown 64123 "$1" && exec ${program} ${options.join(" ")} "$0" src/main.ts`;
    const command = (folder: string) => ["sh", "-c", start, process.execPath, folder];
    await using harness = await startHarness(
      modules,
      { ...withoutRetries, "sources.maxSymFileBytes": "1000000" },
      command,
    );
    const allow = (more: number) => {
      const threads = readdirSync(`/proc/${harness.service.pid}/task`).length;
      const limit = ["prlimit", `--pid=${harness.service.pid}`, `--nproc=${threads + more}:`];
      execFileSync(program, [...options, ...limit]);
    };
    const health = async () => {
      const answer = await fetch(`${harness.service.url}/__heartbeat__`);
      return ((await answer.json()) as { checks: Record<string, string> }).checks["converter_threads"];
    };
    assert.deepEqual(await harness.ask(first), ["right, converted"]);
    allow(0);
    assert.deepEqual(new Set(await harness.ask(...others)), new Set(["right, converted"]));
    // A conversion that is broken off takes its thread along, and then there is none.
    allow(-3);
    harness.fault(large, reply("200 OK", `${large.symFile}${"\n".repeat(2_000_000)}`));
    assert.deepEqual(await harness.ask(large), ["bare, too_large"]);
    assert.deepEqual(await harness.ask(first, next), ["right, cached", "bare, failed"]);
    assert.equal(await health(), "error");
    allow(10);
    assert.deepEqual(await harness.ask(first, next), ["right, cached", "right, converted"]);
  },
);
