import assert from "node:assert/strict";
import { test } from "node:test";
import { startSentryServer } from "../support/sentryServer.ts";
import { startTestService } from "../support/service.ts";

test("reports an internal error to Sentry without client data", async () => {
  await using sentry = await startSentryServer();
  await using service = await startTestService({
    ELIOT_SECRET_SENTRY_DSN: sentry.dsn,
    ELIOT_HOSTNAME: "web1",
  });
  const headers = {
    "user-agent": "test/1.0",
    "x-forwarded-for": "192.0.2.1",
    forwarded: "for=192.0.2.1",
    cookie: "a=b",
    authorization: "Basic YTpi",
  };
  await fetch(`${service.url}/__broken__?query`, { headers });
  const { exception, request, transaction, server_name, release } = await sentry.event;
  const { values } = exception as { values: [{ value: string; mechanism: object }] };
  assert.deepEqual(
    [values[0].value, values[0].mechanism],
    ["intentional exception", { type: "eliot", handled: false }],
  );
  assert.deepEqual([transaction, server_name, release], ["/__broken__", "web1", "none:unknown"]);
  const { url, headers: sent } = request as { url: string; headers: Record<string, string> };
  assert.deepEqual([url, sent["user-agent"]], ["/__broken__", "test/1.0"]);
  for (const name of ["x-forwarded-for", "forwarded", "cookie", "authorization"])
    assert.equal(sent[name], "[Scrubbed]", name);
  assert.ok(!JSON.stringify(await sentry.event).includes("query"));
});
