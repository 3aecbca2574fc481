import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { environment } from "./environment.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export interface Ended {
  /** The exit code, or the signal that ended it. */
  code: number | NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

interface Conditions {
  /** What is piped in. Nothing: standard input is empty. */
  input?: string | Uint8Array;
  env?: Record<string, string>;
  cwd?: string;
}

/** Starts `tseliot` as a process of its own. */
export function start(parameters: string[], { env = {}, cwd }: Conditions = {}) {
  const child = spawn(process.execPath, [main, ...parameters], {
    env: { ...withoutProxies(process.env), ...environment(env) },
    cwd,
  });
  return { child, ended: ending(child) };
}

/** The tests' servers are on loopback. */
function withoutProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/_proxy$/i.test(name)));
}

async function ending(child: ChildProcess): Promise<Ended> {
  const [stdout, stderr, [code, signal]] = await Promise.all([
    // A test may stop reading.
    child.stdout ? text(child.stdout).catch(() => "") : "",
    child.stderr ? text(child.stderr) : "",
    once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return { code: code ?? signal, stdout, stderr };
}

/** Runs `tseliot` to its end. */
export async function run(parameters: string[], conditions: Conditions = {}): Promise<Ended> {
  const { child, ended } = start(parameters, conditions);
  child.stdin.on("error", () => {});
  child.stdin.end(conditions.input ?? "");
  return await ended;
}
