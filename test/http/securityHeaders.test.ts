/** Every answer has the headers of a strict policy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestService } from "../support/service.ts";

const service = await startTestService({ ELIOT_MAX_BODY_SIZE: "1kb" });
const full = await startTestService({ "server.maxBodiesBytes": "100" });
test.after(async () => {
  await service[Symbol.asyncDispose]();
  await full[Symbol.asyncDispose]();
});

const job = JSON.stringify({
  memoryMap: [["plain.so", "000000000000000000000000000000010"]],
  stacks: [[[0, 4096]]],
});
const post = (body: string, headers: Record<string, string> = {}) => ({ method: "POST", body, headers });

/** Those that every answer has, apart from the policy. */
const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "cross-origin",
  "origin-agent-cluster": "?1",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-dns-prefetch-control": "off",
  "x-download-options": "noopen",
  "x-frame-options": "DENY",
  "x-permitted-cross-domain-policies": "none",
  "x-xss-protection": "0",
  "access-control-allow-origin": "*",
};
const jsonPolicy = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";
const pagePolicy =
  "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';" +
  "base-uri 'none';form-action 'none';frame-ancestors 'none'";
/** They say what runs here, or let a page use what is the user's. */
const absent = ["x-powered-by", "server", "access-control-allow-credentials", "set-cookie"];

for (const [status, path, init, policy = jsonPolicy, asked = service] of [
  [200, "/symbolicate/v5", post(job)],
  [200, "/symbolicate/v4", post(job)],
  [200, "/symbolicate/v5", { method: "OPTIONS", headers: { origin: "https://profiler.firefox.com" } }],
  [400, "/symbolicate/v5", post("{")],
  [404, "/nowhere", {}],
  [404, "/static/nowhere", {}],
  [405, "/symbolicate/v5", {}],
  [413, "/symbolicate/v5", post(job.padEnd(2000))],
  [415, "/symbolicate/v5", post(job, { "content-encoding": "lzma" })],
  [500, "/__broken__", {}],
  [500, "/__error__", {}],
  [503, "/symbolicate/v5", post(job.padEnd(200)), jsonPolicy, full],
  [200, "/__version__", {}],
  [200, "/__heartbeat__", {}],
  [200, "/__lbheartbeat__", {}],
  [200, "/__lbheartbeat__", { method: "HEAD" }],
  [200, "/static/page.css", {}],
  [200, "/", {}, pagePolicy],
] as [number, string, RequestInit, string?, typeof service?][])
  test(`sends a strict policy with the ${status} to ${init.method ?? "GET"} ${path}`, async () => {
    const response = await fetch(asked.url + path, init);
    assert.equal(response.status, status);
    const got = Object.fromEntries(response.headers);
    assert.deepEqual(Object.fromEntries(Object.keys(headers).map((name) => [name, got[name]])), headers);
    assert.equal(got["content-security-policy"], policy);
    assert.deepEqual(absent.filter((name) => name in got), []); // prettier-ignore
    if (status >= 400) {
      assert.match(got["content-type"] ?? "", /^application\/json/);
      assert.equal(typeof ((await response.json()) as { title: string }).title, "string");
    } else await response.arrayBuffer();
  });
