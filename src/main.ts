import { ConfigError, readConfig } from "./config.ts";
import { startService } from "./service.ts";

async function main(): Promise<void> {
  const service = await startService(readConfig(process.env));
  const close = () => void service.close();
  process.on("SIGTERM", close).on("SIGINT", close);
  process.on("uncaughtException", (error) => {
    process.exitCode = 1;
    service.reportFatal(error);
    close();
  });
}

main().catch((error: unknown) => {
  process.exitCode = 1;
  if (error instanceof ConfigError || (error instanceof Error && "syscall" in error))
    console.error(error.message);
  else throw error;
});
