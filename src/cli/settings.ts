import { statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "../config/configError.ts";
import { readConfig, type Config, type Environment } from "../config/readConfig.ts";
import { CommandError } from "./commandError.ts";

/** The variables that the options override. */
const variables = { symbols: "ELIOT_SYMBOLS_URLS", cache: "ELIOT_SYMBOLS_CACHE_DIR", port: "PORT" };

export type SettingOptions = { [option in keyof typeof variables]?: string | undefined };

/** The environment, overridden by the options. */
export function environmentOf(env: Environment, { symbols, cache, port }: SettingOptions): Environment {
  const sources = symbols?.split(",").map(sourceAddress).join(",");
  return {
    ...env,
    [variables.symbols]: sources ?? env[variables.symbols],
    [variables.cache]: cache ?? env[variables.cache],
    [variables.port]: port ?? env[variables.port],
  };
}

/** The configuration from the environment and the options. Throws a CommandError. */
export function readSettings(env: Environment, options: SettingOptions): Config {
  try {
    return readConfig(environmentOf(env, options));
  } catch (error) {
    throw settingsError(error, options);
  }
}

/** Names the option instead of the variable in a ConfigError. Rethrows any other error. */
export function settingsError(error: unknown, options: SettingOptions): CommandError {
  if (!(error instanceof ConfigError)) throw error;
  const named = Object.entries(variables).find(
    ([option, variable]) => option in options && error.message.startsWith(variable),
  );
  const message = named ? error.message.replace(named[1], `--${named[0]}`) : error.message;
  return new CommandError("usage", message, { cause: error });
}

/** Turns the path of a folder or a file into a URL. */
function sourceAddress(source: string): string {
  if (source === "" || /^[a-z]+:/i.test(source)) return source;
  const stats = statSync(source, { throwIfNoEntry: false });
  const isSymbolFile = stats?.isFile() && /\.(zip|sym|sym\.gz)$/i.test(source);
  if (!stats?.isDirectory() && !isSymbolFile)
    throw new CommandError("usage", `--symbols: ${source} is not a folder, a .sym file or a .zip file`);
  // The slash tells a folder named like a file from the file.
  return `${pathToFileURL(resolve(source)).href}${stats?.isDirectory() ? "/" : ""}`;
}
