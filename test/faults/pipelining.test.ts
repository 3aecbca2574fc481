/** Clients that send many requests on one connection before they read the responses. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { connect, type AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { test } from "node:test";
import { createHttpServer } from "../../src/http/server.ts";
import { jobOf, startHarness, withoutRetries } from "../support/harness.ts";
import { syntheticModule } from "../support/syntheticModule.ts";
import { waitUntil } from "../support/waitUntil.ts";

const settings = { keepAliveTimeoutMs: 5000, requestTimeoutMs: 5000, maxConnections: 100 };

/** A request with a body of its own, so that responses can be told apart. */
function numbered(count: number): string {
  return Array.from({ length: count }, (_, index) => {
    const method = ["GET", "POST"][index % 2];
    const body = method === "POST" ? "x".repeat(index % 100) : "";
    return `${method} /${index} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }).join("");
}

test("handles at most 8 requests of a connection at the same time, and responds to all of them in order", async () => {
  let running = 0;
  let most = 0;
  const { server } = createHttpServer(async (request, response) => {
    most = Math.max(most, ++running);
    let bytes = 0;
    for await (const piece of request as AsyncIterable<Buffer>) bytes += piece.length;
    await setTimeout(Math.random() * 2);
    running--;
    // Larger than what Node sends before it pauses a connection by itself.
    response.end(`<${request.url}:${bytes}>`.padEnd(Number(request.url?.slice(1)) % 50 === 0 ? 100_000 : 20));
  }, settings);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const count = 3000;
  let text = "";
  client.on("data", (piece) => (text += piece.toString("latin1")));
  client.write(numbered(count));
  await waitUntil(() => text.includes(`</${count - 1}:`));
  const responses = [...text.matchAll(/<\/(\d+):(\d+)>/g)].map(([, index, bytes]) => [
    Number(index),
    Number(bytes),
  ]);
  assert.deepEqual(responses, Array.from({ length: count }, (_, index) => [index, index % 2 === 1 ? index % 100 : 0])); // prettier-ignore
  assert.equal(most, 8);
  client.destroy();
  server.close();
});

test("reads no more requests of a client that reads no responses", async () => {
  let received = 0;
  const { server } = createHttpServer(
    (_request, response) => void response.end("x".repeat(1_000_000)),
    settings,
  );
  server.prependListener("request", () => received++);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
  const request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const perWrite = 2000;
  for (let write = 0; write < 100; write++) client.write(request.repeat(perWrite));
  await setTimeout(1000);
  const before = received;
  await setTimeout(1000);
  assert.equal(received, before);
  // Node reads 64 KB at once.
  assert.ok(received <= (4 * 65_536) / request.length, `${received} requests`);
  client.destroy();
  server.close();
});

test("responds to 1,500 pipelined requests of each kind, and opens no files for them", async () => {
  const module = syntheticModule("pipelined.so");
  await using harness = await startHarness([module], withoutRetries);
  await harness.ask(module);
  const body = JSON.stringify(jobOf([module]));
  const requests = [
    "GET /__version__ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /static/page.css HTTP/1.1\r\nHost: a\r\n\r\n",
    `POST /symbolicate/v5 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ];
  const { handles } = await harness.resources();
  for (const request of requests) {
    const client = connect(Number(new URL(harness.service.url).port), "127.0.0.1");
    let statuses: string[] = [];
    let rest = "";
    client.on("data", (piece) => {
      rest += piece.toString("latin1");
      const found = [...rest.matchAll(/HTTP\/1\.1 (\d+) /g)];
      statuses = [...statuses, ...found.map(([, status]) => status!)];
      const last = found.at(-1);
      if (last) rest = rest.slice(last.index + 13);
      rest = rest.slice(-20);
    });
    client.write(request.repeat(1500));
    let most = 0;
    await waitUntil(async () => {
      most = Math.max(most, (await readdir(`/proc/${harness.service.pid}/fd`)).length);
      return statuses.length >= 1500;
    });
    assert.deepEqual(new Set(statuses).size, 1, [...new Set(statuses)].join());
    assert.equal(statuses.length, 1500);
    assert.ok(most < handles + 30, `${most} file handles, ${handles} before`);
    client.destroy();
  }
});
