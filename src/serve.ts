import type { Service } from "./service.ts";

/** Runs the service until a signal ends it. `env`: its configuration. */
export async function serve(env: Record<string, string | undefined>): Promise<void> {
  let isWanted = true;
  let service: Service | undefined;
  const close = () => {
    isWanted = false;
    void service?.close();
  };
  process.on("SIGTERM", close).on("SIGINT", close);
  // Loaded only now, as that takes longer than all the rest of the start: a signal is heeded meanwhile.
  const { readConfig } = await import("./config.ts");
  const config = readConfig(env);
  const { startService } = await import("./service.ts");
  if (!isWanted) return;
  service = await startService(config);
  process.on("uncaughtException", (error) => {
    process.exitCode = 1;
    service.reportFatal(error);
    close();
  });
  if (!isWanted) await service.close();
}
