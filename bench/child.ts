import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

export interface Child extends AsyncDisposable {
  /** The match of `ready` in the output. */
  ready: RegExpMatchArray;
  /** Peak resident memory, in MB of 10^6 bytes. */
  peakMegabytes(): number;
  /** Reads and resets the histogram of the preloaded eventLoopDelay.ts, in milliseconds. */
  eventLoopDelay(): Promise<{ p99: number; max: number }>;
}

/** Starts a process, waits until its output matches `ready`, and terminates it on disposal. */
export async function startChild(
  command: string,
  parameters: string[],
  ready: RegExp,
  environment: Record<string, string> = {},
): Promise<Child> {
  const child = spawn(command, parameters, {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: { ...process.env, ...environment },
  });
  const ended = once(child, "exit");
  const match = await new Promise<RegExpMatchArray>((resolve, reject) => {
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (output.length > 1e6) return;
      output += text;
      const found = output.match(ready);
      if (found) resolve(found);
    });
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`${command} ended with ${code}:\n${output}`)));
  });
  return {
    ready: match,
    peakMegabytes: () => peakMegabytes(child.pid ?? 0),
    async eventLoopDelay() {
      const message = once(child, "message");
      child.send("eventLoopDelay");
      return (await message)[0] as { p99: number; max: number };
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** Peak resident memory of a running process, in MB of 10^6 bytes. */
export function peakMegabytes(pid: number | "self"): number {
  const kibibytes = /VmHWM:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
}
