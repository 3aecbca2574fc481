import { hostname } from "node:os";
import leven from "leven";
import { z } from "zod";
import { ConfigError } from "./configError.ts";
import { ConversionSettings } from "./conversion.ts";
import { DiskCacheSettings } from "./diskCache.ts";
import { LookupSettings } from "./lookup.ts";
import type { MemoryLimit } from "./memoryLimit.ts";
import { fitMemory } from "./memoryPlan.ts";
import { maskCredentials, maskUrls } from "./maskUrls.ts";
import { ObservabilitySettings } from "./observability.ts";
import { ServerSettings } from "./server.ts";
import { documented, type SettingInfo } from "./setting.ts";
import { SharedCacheSettings } from "./sharedCache.ts";
import { SourceSettings } from "./sources.ts";

export type Environment = Record<string, string | undefined>;

const Sections = z.object({
  server: ServerSettings,
  sources: SourceSettings,
  diskCache: DiskCacheSettings,
  conversion: ConversionSettings,
  lookup: LookupSettings,
  sharedCache: SharedCacheSettings,
  observability: ObservabilitySettings,
});
type Sections = z.infer<typeof Sections>;

/** Everything that can be configured: sizes in bytes, times in milliseconds. */
export type Config = Omit<Sections, "sharedCache"> & { sharedCache: SharedCacheSettings | undefined };

/** For tests: JSON such as `{"sources.stallTimeoutMs": 200}` that replaces settings and constants without checks. */
const overridesVariable = "ELIOT_TEST_OVERRIDES";

interface Field {
  section: keyof Sections;
  name: string;
  setting: SettingInfo | undefined;
}

const fields: Field[] = Object.entries(Sections.shape).flatMap(([section, { shape }]) =>
  Object.entries(shape).map(([name, schema]) => ({
    section: section as keyof Sections,
    name,
    setting: documented.get(schema),
  })),
);

/** All documented settings with their sections, in order. */
export const allSettings = fields.flatMap(({ section, name, setting }) =>
  setting ? [{ section, name, ...setting }] : [],
);

/**
 * The configuration from environment variables. An empty variable counts as unset. Defaults that a memory limit has no room
 * for are lowered. Throws a ConfigError.
 */
export function readConfig(env: Environment, memoryLimit?: MemoryLimit): Config {
  const given = new Map(Object.entries(env).filter(([, value = ""]) => value.trim() !== ""));
  const input: Record<string, Record<string, unknown>> = {};
  for (const { section, name, setting } of fields)
    (input[section] ??= {})[name] = setting && givenValue(given, setting.variable);
  const result = Sections.safeParse(input);
  if (!result.success) throw invalidSetting(result.error, given);

  const fitted = fitMemory(result.data, (variable) => given.has(variable), memoryLimit?.bytes ?? Infinity);
  const sections = override(fitted, given.get(overridesVariable));
  const { sharedCache, observability } = sections;
  return {
    ...sections,
    observability: { ...observability, hostname: observability.hostname || hostname() },
    sharedCache: checkSharedCache(sharedCache),
  };
}

/** Tools read `http_proxy` first, and then `HTTP_PROXY`. */
function givenValue(given: Map<string, string | undefined>, variable: string): string | undefined {
  const lowerCase = variable.endsWith("_PROXY") ? given.get(variable.toLowerCase()) : undefined;
  return lowerCase ?? given.get(variable);
}

/** A warning for each `ELIOT_…` variable that isn't a setting. */
export function unknownVariables(env: Environment): string[] {
  const known = [...allSettings.map(({ variable }) => variable), overridesVariable];
  return Object.keys(env)
    .filter((variable) => variable.startsWith("ELIOT_") && !known.includes(variable))
    .map((variable) => {
      const [closest = ""] = known.toSorted((a, b) => leven(a, variable) - leven(b, variable));
      const suggestion = leven(closest, variable) <= 3 ? `; did you mean ${closest}?` : "";
      return `${variable} is not a setting and has no effect${suggestion}`;
    });
}

/** The configuration for the log: flat, as `{"sources.maxDownloads": 12}`, and without secrets. */
export function loggable(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(({ section, name, setting }) => {
      const value = (config[section] as Record<string, unknown> | undefined)?.[name];
      const shown = setting?.isSecret && value ? "***" : value;
      return [`${section}.${name}`, loggableValue(shown)];
    }),
  );
}

function loggableValue(value: unknown): unknown {
  if (typeof value === "string") return value.includes("://") ? maskCredentials(value) : value;
  return typeof value === "object"
    ? JSON.stringify(value, (_, part: unknown) => (part === value ? part : loggableValue(part)))
    : value;
}

function invalidSetting(error: z.ZodError, given: Map<string, string | undefined>): ConfigError {
  const [issue] = error.issues;
  const [section, name] = issue?.path ?? [];
  const setting = fields.find((field) => field.section === section && field.name === name)?.setting;
  const value = givenValue(given, setting?.variable ?? "") ?? "";
  const shown = setting?.isSecret ? "" : `: ${JSON.stringify(maskUrls(value))}`;
  return new ConfigError(`${setting?.variable} ${issue?.message}${shown}`);
}

function override(sections: Sections, json = "{}"): Sections {
  const changed: Record<string, Record<string, unknown>> = { ...sections };
  for (const [path, value] of Object.entries(JSON.parse(json) as Record<string, unknown>)) {
    const [section = "", name = ""] = path.split(".");
    if (!fields.some((field) => field.section === section && field.name === name))
      throw new ConfigError(`${overridesVariable} has ${path}, which doesn't exist`);
    changed[section] = { ...changed[section], [name]: value };
  }
  return changed as Sections;
}

function checkSharedCache({ bucket, ...settings }: Sections["sharedCache"]): SharedCacheSettings | undefined {
  if (!bucket) return undefined;
  const { accessKeyId, secretAccessKey } = settings;
  if (accessKeyId !== "" && secretAccessKey === "")
    throw new ConfigError("AWS_SECRET_ACCESS_KEY is empty, but AWS_ACCESS_KEY_ID is not");
  if (accessKeyId === "" && secretAccessKey !== "")
    throw new ConfigError("AWS_ACCESS_KEY_ID is empty, but AWS_SECRET_ACCESS_KEY is not");
  return { bucket, ...settings };
}
