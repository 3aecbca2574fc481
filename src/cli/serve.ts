import { Command } from "@commander-js/extra-typings";
import { serve } from "../serve.ts";
import { cacheOption, portOption, symbolsOption, type Environment } from "./options.ts";

export function serveCommand(env: Environment) {
  return new Command("serve")
    .summary("run the service, as npm start does")
    .description(
      "Runs the service until Ctrl-C or SIGTERM. Environment variables configure it, see docs/operations.md.",
    )
    .addOption(portOption())
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
