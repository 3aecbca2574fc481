/** Nothing of what a client sent, and no secret, is in the log or in what goes to Sentry, whatever goes wrong. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { allSettings } from "../../src/config/readConfig.ts";
import { startSentryServer } from "../support/sentryServer.ts";
import { startTestService } from "../support/service.ts";
import { root } from "../support/serviceProcess.ts";
import { reply, SymbolServer } from "../support/symbolServer.ts";

const marker = "5ECE7";
const id = `${marker}000000000000000000000000000A`;
const name = `${marker}.so`;
const job = (debugFilename: string, debugId = id) =>
  JSON.stringify({
    memoryMap: [[debugFilename, debugId]],
    stacks: [[[0, Number.parseInt(marker, 16)]]],
    [marker]: marker,
  });

/** What a symbol server may do that ends up in the log. */
const faults = {
  "no such file": reply("404 Not Found"),
  "an error": reply(`500 ${marker}`, marker),
  "a page of its own": reply("200 OK", `<p>${marker}`),
  "another module's file": reply(
    "200 OK",
    "MODULE Linux x86_64 0123456789ABCDEF0123456789ABCDEF0 other.so\n",
  ),
  "a redirect": reply("302 Found", "", { Location: `/${marker}` }),
  "a redirect to nowhere": reply("302 Found", "", { Location: `http://127.0.0.1:1/${marker}` }),
};

for (const [fault, script] of Object.entries(faults))
  test(`logs no client data if a symbol server has ${fault} for a module`, async () => {
    await using sentry = await startSentryServer();
    await using server = await SymbolServer.start(script);
    await using service = await startTestService({
      ELIOT_SYMBOLS_URLS: server.url,
      ELIOT_SECRET_SENTRY_DSN: sentry.dsn,
      ELIOT_LOGGING_LEVEL: "DEBUG",
      "sources.downloadAttempts": "1",
    });
    assert.equal((await service.post(`/symbolicate/v5?${marker}`, job(name))).status, 200);
    await service[Symbol.asyncDispose]();
    assert.ok(service.log.length > 0);
    assert.deepEqual(service.log.filter((line) => JSON.stringify(line).includes(marker)), []); // prettier-ignore
    assert.deepEqual(sentry.received.filter((sent) => sent.includes(marker)), []); // prettier-ignore
  });

const post = (body: string | Uint8Array, headers = "", path = "/symbolicate/v5") =>
  Buffer.concat([
    Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${body.length}\r\n\r\n`),
    Buffer.from(body),
  ]);

/** Requests that go wrong, as bytes, and the status that they are answered with. */
const requests: [string, Uint8Array, number][] = [
  ["is no JSON", post(`{"${marker}": ${marker}`), 400],
  ["is no JSON, and large", post(`{"${marker}": ${marker}`.padEnd(300_000)), 400],
  ["is no UTF-8", post(Buffer.from(`"${marker}\xff"`, "latin1")), 400],
  ["is too large", post(job(name).padEnd(1_000_001)), 413],
  ["is of no known encoding", post(job(name), "Content-Encoding: lzma\r\n"), 415],
  ["is cut gzip", post(gzipSync(job(name)).subarray(0, -9), "Content-Encoding: gzip\r\n"), 400],
  ["is said to be gzip", post(job(name), "Content-Encoding: gzip\r\n"), 400],
  ["has a bad name", post(job(`${marker}/`)), 200],
  ["has a bad id", post(job(name, `${marker}x`)), 200],
  ["has a bad frame", post(job(name).replace("[[[0,", "[[[9,")), 400],
  ["has a bad chunk", Buffer.from(`POST /symbolicate/v5 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${marker}!\r\n`), 400],
  ["ends in its middle", post(job(name)).subarray(0, -20), 400],
  ["is for another path", post(job(name), "", "/nowhere"), 404],
  ["is for a path that fails", Buffer.from(`GET /__broken__?${marker} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n${marker}`), 500],
  ["is no request", Buffer.from(`${marker} ${marker}\r\n\r\n`), 400],
]; // prettier-ignore

test("logs no client data of failing requests", async () => {
  await using sentry = await startSentryServer();
  await using service = await startTestService({
    ELIOT_SECRET_SENTRY_DSN: sentry.dsn,
    ELIOT_LOGGING_LEVEL: "DEBUG",
    ELIOT_MAX_BODY_SIZE: "1mb",
  });
  for (const [what, bytes, status] of requests) {
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    socket.write(bytes);
    if (what === "ends in its middle") socket.end();
    else socket.once("data", () => socket.end());
    assert.equal((await text(socket)).slice(9, 12), String(status), what);
  }
  await service[Symbol.asyncDispose]();
  // All but what never became a request.
  assert.equal(service.log.filter(({ Type }) => Type === "request.summary").length, requests.length - 1);
  assert.deepEqual(service.log.filter((line) => JSON.stringify(line).includes(marker)), []); // prettier-ignore
  assert.equal(sentry.received.length, 1);
  assert.deepEqual(sentry.received.filter((sent) => sent.includes(marker)), []); // prettier-ignore
});

test("does not log the value of a secret variable", async () => {
  const dsn = `http://${marker}@127.0.0.1:1/1`;
  const values: Record<string, string> = {
    AWS_ACCESS_KEY_ID: marker,
    AWS_SECRET_ACCESS_KEY: marker,
    AWS_SESSION_TOKEN: marker,
    ELIOT_SECRET_SENTRY_DSN: dsn,
  };
  const secrets = allSettings.filter(({ variable }) => /SECRET|TOKEN|PASSWORD|KEY/.test(variable));
  assert.ok(secrets.every(({ isSecret }) => isSecret));
  assert.deepEqual(
    secrets.map(({ variable }) => variable),
    Object.keys(values),
  );
  await using service = await startTestService({ ...values, ELIOT_LOGGING_LEVEL: "DEBUG" });
  assert.ok(service.log.some(({ Fields }) => Fields["msg"] === "configuration"));
  assert.ok(!JSON.stringify(service.log).includes(marker));
});

for (const [variable, value] of [
  ["ELIOT_SECRET_SENTRY_DSN", `https://sentry.example/${marker}`],
  ["ELIOT_SYMBOLS_URLS", `https://user:${marker}@symbols.example/?x`],
  ["ELIOT_SYMBOLS_URLS", `https://user:${marker}%zz@symbols.example/`],
  ["ELIOT_SYMBOLS_URLS", `https://user:${marker}%E9@symbols.example/`],
  ["ELIOT_SYMBOLS_URLS", `https://user:${marker},${marker}@symbols.example/`],
  ["ELIOT_SYMBOLS_URLS", `file:///a, https://user:${marker},x@symbols.example/,file:///b`],
  ["ELIOT_SYMBOLS_URLS", `file://user:${marker}@host/folder`],
  ["HTTP_PROXY", `ftp://user:${marker}@proxy.example`],
  ["HTTPS_PROXY", `user:${marker}/@proxy example`],
  ["HTTPS_PROXY", `http://user:${marker}%@proxy.example`],
  ["ELIOT_SYMBOLS_URLS", `https://user:pass/${marker}@symbols.example/`],
  ["ELIOT_SYMBOLS_URLS", `https://symbols.example/?token=${marker}`],
  ["ELIOT_SYMBOLS_URLS", `ftp://user:${marker}@symbols.example/#${marker}`],
] as const)
  test(`does not start with ${variable}=${value}, and does not print the secret in it`, async () => {
    const env = { ...process.env, [variable]: value };
    const child = spawn(process.execPath, ["src/main.ts"], { cwd: root, env });
    const [shown, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    assert.match(errors, new RegExp(`^${variable} .*\\n$`));
    assert.ok(!(shown + errors).includes(marker), shown + errors);
  });
