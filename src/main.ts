import { ConfigError, readConfig } from "./config.ts";
import { startService, type Service } from "./service.ts";

async function main(): Promise<void> {
  let isWanted = true;
  let service: Service | undefined;
  const close = () => {
    isWanted = false;
    void service?.close();
  };
  process.on("SIGTERM", close).on("SIGINT", close);
  service = await startService(readConfig(process.env));
  process.on("uncaughtException", (error) => {
    process.exitCode = 1;
    service.reportFatal(error);
    close();
  });
  if (!isWanted) await service.close();
}

main().catch((error: unknown) => {
  process.exitCode = 1;
  if (error instanceof ConfigError || (error instanceof Error && "syscall" in error))
    console.error(error.message);
  else throw error;
});
