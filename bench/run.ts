import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Measured } from "./measure.ts";

const execute = promisify(execFile);

/** What a program of this folder, `.ts` or with `python` as `command`, prints as JSON. */
export async function run(name: string, parameters: string[], command = process.execPath): Promise<Measured> {
  const file = new URL(name, import.meta.url).pathname;
  const { stdout } = await execute(command, [file, ...parameters]);
  return JSON.parse(stdout) as Measured;
}
