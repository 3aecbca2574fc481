import type { Environment } from "./config/readConfig.ts";
import type { Service } from "./service.ts";

/** Runs the service as `env` configures it until a signal ends it and the process with it. Throws a ConfigError. */
export async function serve(env: Environment): Promise<void> {
  let isWanted = true;
  let service: Service | undefined;
  const close = () => {
    isWanted = false;
    if (service) void end(service);
  };
  process.on("SIGTERM", close).on("SIGINT", close);
  // The kernel and the shell may each send one when the terminal closes, so a second one is no request to hurry.
  process.on("SIGHUP", () => {
    if (isWanted) close();
  });
  // Loading the rest takes longer than everything else of the start. Signals are handled meanwhile.
  const { readConfig, unknownVariables } = await import("./config/readConfig.ts");
  const { readMemoryLimit } = await import("./config/memoryLimit.ts");
  const memoryLimit = readMemoryLimit();
  const config = readConfig(env, memoryLimit);
  const { startService } = await import("./service.ts");
  if (!isWanted) return;
  const { maxStartMs } = config.server;
  service = await startService(config, {
    maxWarmUpMs: maxStartMs === 0 ? 0 : Math.max(1, Math.ceil(maxStartMs - performance.now())),
    warnings: unknownVariables(env),
    memoryLimit,
  });
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
  // Log lines that nobody reads would otherwise keep the process alive.
  process.exit();
}
