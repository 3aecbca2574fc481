import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

export interface Child extends AsyncDisposable {
  /** The first match of the pattern in what the process wrote. */
  ready: RegExpMatchArray;
  /** The most memory that the process has held, in MB of 10^6 bytes. */
  peakMegabytes(): number;
  /** Asks the preloaded eventLoopDelay.ts for its numbers, and lets it begin anew. */
  eventLoopDelay(): Promise<{ p99: number; most: number }>;
}

/** Starts a process that writes a line which matches `ready`, and ends it on disposal. */
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
      const answer = once(child, "message");
      child.send("eventLoopDelay");
      return (await answer)[0] as { p99: number; most: number };
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** The most memory that a live process has held, in MB of 10^6 bytes. */
export function peakMegabytes(pid: number | "self"): number {
  const kibibytes = /VmHWM:\s+([0-9]+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
}
