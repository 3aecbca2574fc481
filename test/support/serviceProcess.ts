import { spawn } from "node:child_process";
import { on, once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { environment } from "./environment.ts";
import { sampleSymbols } from "./service.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export type ServiceProcess = Awaited<ReturnType<typeof startProcess>>;

/** Starts the service as a child process, without its warm-up unless `env` sets `server.maxStartMs`. */
export async function startProcess(env: Record<string, string>, command = [process.execPath, "src/main.ts"]) {
  const [program = "", ...parameters] = command;
  const child = spawn(program, parameters, {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      PORT: "0",
      ELIOT_SYMBOLS_URLS: sampleSymbols,
      ...environment({ "server.maxStartMs": "0", ...env }),
    },
  });
  const exit = once(child, "exit").then(([code]) => code as number | null);
  const lines = createInterface(child.stdout);
  const errors: string[] = [];
  createInterface(child.stderr).on("line", (line) => errors.push(line));
  /** The first line that it logs with these words. */
  const logged = async (words: string): Promise<string> => {
    for await (const [line] of on(lines, "line", { close: ["close"] }) as AsyncIterable<[string]>)
      if (line.includes(words)) return line;
    throw new Error(`exit code ${await exit} without a line of ${words}`);
  };
  const [url = ""] = /http:\/\/[0-9.:]+/.exec(await logged("listening on ")) ?? [];
  return {
    url,
    /** Of the process itself, or of what started it. */
    pid: child.pid ?? 0,
    logged,
    /** Lines that it wrote to standard error. */
    errors,
    exit,
    /** To the process and all that it started, as a terminal's Ctrl-C is. */
    signal: (signal: NodeJS.Signals) => process.kill(-(child.pid ?? 0), signal),
    /** Reads its log no more, and lets the pipe fill. */
    stallLog: () => lines.pause(),
    /** Closes the pipe that it logs to. */
    stopReadingLog: () => child.stdout.destroy(),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), "SIGKILL");
      await exit;
    },
  };
}
