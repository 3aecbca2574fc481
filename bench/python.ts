import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { report } from "./measure.ts";

const execute = promisify(execFile);

/** Installs Symbolic from PyPI into a virtual environment and returns its Python, or undefined if that fails. */
export async function installNativeSymbolic(folder: string): Promise<string | undefined> {
  report("installing native Symbolic");
  const environment = join(folder, "python");
  const python = join(environment, "bin/python");
  try {
    await execute("python3", ["-m", "venv", environment]);
    await execute(python, ["-m", "pip", "install", "--quiet", "symbolic==13.9.0"]);
    return python;
  } catch (error) {
    console.error(`cannot install native Symbolic, its column stays empty: ${String(error)}`);
    return undefined;
  }
}
