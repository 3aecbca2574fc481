import type { Service } from "./service.ts";

/** Milliseconds since the process began after which it accepts requests. */
const latestStart = 1800;

/** Runs the service until a signal ends it, and with it the process. `env`: its configuration. */
export async function serve(env: Record<string, string | undefined>): Promise<void> {
  let isWanted = true;
  let service: Service | undefined;
  const close = () => {
    isWanted = false;
    if (service) void end(service);
  };
  process.on("SIGTERM", close).on("SIGINT", close);
  // The kernel and the shell may each say that the terminal went away: nobody is in a hurry.
  process.on("SIGHUP", () => {
    if (isWanted) close();
  });
  // Loaded only now, as that takes longer than all the rest of the start: a signal is heeded meanwhile.
  const { readConfig } = await import("./config/config.ts");
  const config = readConfig(env);
  const { startService } = await import("./service.ts");
  if (!isWanted) return;
  const longestWarmUp = Math.max(0, Math.ceil(latestStart - performance.now()));
  service = await startService(config, { longestWarmUp });
  process.on("uncaughtException", (error) => {
    process.exitCode = 1;
    service.reportFatal(error);
    close();
  });
  if (!isWanted) close();
}

async function end(service: Service): Promise<void> {
  try {
    await service.close();
  } catch (error) {
    process.exitCode = 1;
    console.error(error);
  }
  // What of the log nobody reads would keep the process from ending by itself.
  process.exit();
}
