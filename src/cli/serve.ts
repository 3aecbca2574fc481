import { Command } from "@commander-js/extra-typings";
import { serve } from "../serve.ts";
import type { Environment } from "../config/readConfig.ts";
import { cacheOption, symbolsOption } from "./options.ts";

export function serveCommand(env: Environment) {
  return new Command("serve")
    .summary("run the service, as npm start does")
    .description(
      "Runs the service until Ctrl-C or SIGTERM. Environment variables configure it, see docs/operations.md.",
    )
    .option("-p, --port <number>", "port to listen on (default: $PORT or 8000)")
    .addOption(symbolsOption())
    .addOption(cacheOption())
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot serve
  $ tseliot serve --port 9000 --symbols ~/obj-firefox/dist/crashreporter-symbols
  $ ELIOT_LOCAL_DEV_ENV=true tseliot serve     readable log lines`,
    )
    .action(async (options) => {
      const { environmentOf, settingsError } = await import("./settings.ts");
      try {
        await serve(environmentOf(env, options));
      } catch (error) {
        throw settingsError(error, options);
      }
    });
}
