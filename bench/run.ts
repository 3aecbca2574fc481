import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Measured } from "./measure.ts";

const execute = promisify(execFile);

/** Runs a program of this folder, which prints its results as JSON. `command` is the interpreter. */
export async function run(name: string, parameters: string[], command = process.execPath): Promise<Measured> {
  const file = new URL(name, import.meta.url).pathname;
  const { stdout } = await execute(command, [file, ...parameters]);
  return JSON.parse(stdout) as Measured;
}
