/**
 * Environment variables for the service. A key such as `sources.stallTimeoutMs` isn't a variable but a field of the
 * configuration: it replaces that number, without the minimum that a variable has.
 */
export function environment(settings: Record<string, string>): Record<string, string> {
  const isField = ([key]: [string, string]) => key.includes(".");
  const entries = Object.entries(settings);
  const fields = entries.filter(isField).map(([key, value]) => [key, Number(value)]);
  const variables = entries.filter((entry) => !isField(entry));
  if (fields.length === 0) return Object.fromEntries(variables);
  return {
    ...Object.fromEntries(variables),
    ELIOT_TEST_OVERRIDES: JSON.stringify(Object.fromEntries(fields)),
  };
}
