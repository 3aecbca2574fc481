/** A configuration value is missing or invalid. The message is one line that names the variable. */
export class ConfigError extends Error {
  override name = "ConfigError";
}
