import { z } from "zod";

/** How a documented setting is read and described. */
export interface SettingInfo {
  /** The environment variable. */
  variable: string;
  /** The default, in the format of the variable; empty for none. */
  defaultText: string;
  /** One line for the settings table, in Markdown. */
  meaning: string;
  /** Never log its value. */
  isSecret: boolean;
}

/** The documented settings by their schema. */
export const documented = z.registry<SettingInfo>();

/** A documented environment variable with a default. `format` parses its text. */
export function setting<Format extends z.ZodType<unknown, string>>(
  variable: string,
  format: Format,
  defaultText: string,
  meaning: string,
  { isSecret = false }: { isSecret?: boolean } = {},
) {
  const schema = format.prefault(defaultText as z.input<Format>);
  documented.add(schema, { variable, defaultText, meaning, isSecret });
  return schema;
}

/** A number that only tests override. */
export function constant(value: number) {
  return z.number().nonnegative().default(value);
}
