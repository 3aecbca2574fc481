import assert from "node:assert/strict";
import { test } from "node:test";
import { allSettings, readConfig, unknownVariables } from "../../src/config/readConfig.ts";
import { startTestService } from "../support/service.ts";

test("has at most 30 documented settings besides those of proxies, which many tools have", () => {
  const own = allSettings.filter(({ variable }) => !variable.endsWith("_PROXY"));
  assert.ok(own.length <= 30, String(own.length));
});

for (const [variable, suggestion] of [
  ["ELIOT_SYMBOL_URLS", "ELIOT_SYMBOLS_URLS"],
  ["ELIOT_SYMBOLS_CACHE_MAXSIZE", "ELIOT_SYMBOLS_CACHE_MAX_SIZE"],
  ["ELIOT_LOGING_LEVEL", "ELIOT_LOGGING_LEVEL"],
] as const)
  test(`suggests ${suggestion} for ${variable}`, () => {
    assert.deepEqual(unknownVariables({ [variable]: "1" }), [
      `${variable} is not a setting and has no effect; did you mean ${suggestion}?`,
    ]);
  });

test("warns about an unknown ELIOT_ variable that resembles no setting, without a suggestion", () => {
  assert.deepEqual(unknownVariables({ ELIOT_COFFEE: "1", HOME: "/", ELIOT_SYMBOLS_URLS: "file:///a" }), [
    "ELIOT_COFFEE is not a setting and has no effect",
  ]);
});

for (const [variable, value] of [
  ["ELIOT_SYMBOLS_CACHE_MAX_SIZE", "10"],
  ["ELIOT_SYMBOLS_CACHE_MAX_SIZE", "999kb"],
  ["ELIOT_LOOKUP_MEMORY", "1kb"],
  ["ELIOT_MAX_BODY_SIZE", "1"],
] as const)
  test(`refuses ${variable}=${value} and names the minimum`, () => {
    assert.throws(() => readConfig({ [variable]: value }), {
      name: "ConfigError",
      message: new RegExp(`^${variable} is less than the minimum of \\d[km]b: "${value}"$`),
    });
  });

test("refuses an override of a field that doesn't exist", () => {
  assert.throws(() => readConfig({ ELIOT_TEST_OVERRIDES: '{"sources.patience": 1}' }), {
    name: "ConfigError",
    message: "ELIOT_TEST_OVERRIDES has sources.patience, which doesn't exist",
  });
});

test("logs warnings about variables at the start", async () => {
  await using service = await startTestService({}, { warnings: unknownVariables({ ELIOT_SYMBOL_URLS: "" }) });
  const warning = service.log.find(({ Severity }) => Severity === 4);
  assert.match(String(warning?.Fields["msg"]), /^ELIOT_SYMBOL_URLS is not a setting/);
});
