/** What never becomes a request, or is refused before its body is read, sent byte by byte. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startTestService } from "../support/service.ts";

const service = await startTestService({ ELIOT_MAX_BODY_SIZE: "1kb", "server.requestTimeoutMs": "500" });
test.after(() => service[Symbol.asyncDispose]());

/** All that the service answers to these bytes until it closes the connection. */
async function answersTo(bytes: string): Promise<{ status: string; headers: string; body: string }[]> {
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  socket.write(bytes);
  const responses = (await text(socket)).split(/(?=HTTP\/1\.1 \d)/);
  return responses.map((response) => {
    const [head = "", body = ""] = response.split("\r\n\r\n");
    const [status = "", ...headers] = head.split("\r\n");
    return { status, headers: headers.join("\n").toLowerCase(), body };
  });
}

const get = (path: string, headers = "Host: a\r\n") => `GET ${path} HTTP/1.1\r\n${headers}\r\n`;
const post = (headers: string, body = "") =>
  `POST /symbolicate/v5 HTTP/1.1\r\nHost: a\r\n${headers}\r\n${body}`;
const chunked = "Transfer-Encoding: chunked\r\n";

for (const [what, bytes, status] of [
  ["what is no HTTP", "MODULE Linux x86_64 0 a.so\r\n\r\n", "400 Bad Request"],
  ["a request for a tunnel", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "400 Bad Request"],
  [
    "a body of which two lengths are given",
    post(`${chunked}Content-Length: 3\r\n`, "0\r\n\r\n"),
    "400 Bad Request",
  ],
  ["a chunk whose length is no number", post(chunked, "no\r\n"), "400 Bad Request"],
  [
    "a chunk with an extension of 20 KB",
    post(chunked, `1;${"x".repeat(20_000)}\r\n`),
    "413 Payload Too Large",
  ],
  [
    "headers of 100 KB",
    get("/", `Host: a\r\nCookie: ${"x".repeat(100_000)}\r\n`),
    "431 Request Header Fields Too Large",
  ],
  ["a path of 100 KB", get(`/${"x".repeat(100_000)}`), "431 Request Header Fields Too Large"],
  [
    "a body over the limit of which nothing comes",
    post("Content-Length: 2000000\r\n"),
    "413 Payload Too Large",
  ],
  [
    "a body over the limit for which the client waits to be asked",
    post("Expect: 100-continue\r\nContent-Length: 5000\r\n"),
    "413 Payload Too Large",
  ],
  [
    "chunks over the limit that don't end",
    post(chunked, `7d0\r\n${" ".repeat(2000)}\r\n`),
    "413 Payload Too Large",
  ],
  [
    "a large body in an unknown encoding",
    post("Content-Encoding: lzma\r\nContent-Length: 2000000\r\n"),
    "415 Unsupported Media Type",
  ],
  ["headers that never end", "GET / HTTP/1.1\r\nHost: a\r\n", "408 Request Timeout"],
  ["a body of which the rest never comes", post("Content-Length: 500\r\n", "{"), "408 Request Timeout"],
] as const)
  // prettier-ignore
  test(`answers ${what} with ${status} as JSON, and closes the connection`, async () => {
    const responses = await answersTo(bytes);
    assert.deepEqual(
      responses.map((response) => [response.status, JSON.parse(response.body)]),
      [[`HTTP/1.1 ${status}`, { title: status }]],
    );
    const headers = responses[0]?.headers ?? "";
    assert.match(headers, /^access-control-allow-origin: \*$/m);
    assert.match(headers, /^content-type: application\/json/m);
    assert.match(headers, /^x-content-type-options: nosniff$/m);
    assert.match(headers, /^connection: close$/m);
  });

for (const [what, bytes, status] of [
  ["a request without a host", get("/__lbheartbeat__", ""), "400 Bad Request"],
  [
    "an expectation that it doesn't know",
    get("/__lbheartbeat__", "Host: a\r\nExpect: tea\r\n"),
    "417 Expectation Failed",
  ],
  [
    "a short body over the limit",
    post("Content-Length: 2000\r\n", " ".repeat(2000)),
    "413 Payload Too Large",
  ],
  [
    "a short body in an unknown encoding",
    post("Content-Encoding: lzma\r\nContent-Length: 5\r\n", "12345"),
    "415 Unsupported Media Type",
  ],
  [
    "a body where none belongs",
    "GET /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
    "404 Not Found",
  ],
] as const)
  // prettier-ignore
  test(`answers ${what} with ${status} as JSON, and the next request on the connection`, async () => {
    const [error, next, ...others] = await answersTo(
      bytes + get("/__lbheartbeat__", "Host: a\r\nConnection: close\r\n"),
    );
    assert.equal(error?.status, `HTTP/1.1 ${status}`);
    assert.deepEqual(JSON.parse(error.body), { title: status });
    assert.match(error.headers, /^access-control-allow-origin: \*$/m);
    assert.equal(next?.status, "HTTP/1.1 200 OK");
    assert.deepEqual(others, []);
  });

test("answers pipelined requests", async () => {
  const responses = await answersTo(
    get("/__lbheartbeat__") + get("/nowhere") + get("/__lbheartbeat__", "Host: a\r\nConnection: close\r\n"),
  );
  assert.deepEqual(
    responses.map(({ status }) => status),
    ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK"],
  );
});

for (const [what, behind] of [
  ["what is no request", "NONSENSE\r\n\r\n"],
  ["headers that never end", "GET /nowhere HT"],
  ["a body that is none", post(chunked, "no\r\n")],
])
  test(`answers a request before it reports ${what} after it`, async () => {
    const responses = await answersTo(get("/__heartbeat__") + behind);
    assert.equal(responses[0]?.status, "HTTP/1.1 200 OK");
    assert.match(responses[1]?.status ?? "", /^HTTP\/1\.1 40[08] /);
    assert.equal(responses.length, 2);
  });

test("answers a request with Connection: close even if more data follows", async () => {
  const last = get("/__heartbeat__", "Host: a\r\nConnection: close\r\n");
  const responses = await answersTo(last + get("/nowhere"));
  assert.deepEqual(
    responses.map(({ status }) => status),
    ["HTTP/1.1 200 OK"],
  );
});

test("sends 100 Continue to a client that waits for it", async () => {
  const body = "[]";
  const [first, second] = await answersTo(
    post("Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n", body),
  );
  assert.equal(first?.status, "HTTP/1.1 100 Continue");
  assert.equal(second?.status, "HTTP/1.1 400 Bad Request");
  assert.deepEqual(JSON.parse(second.body), { title: "job 0 is invalid" });
});

for (const target of [
  "http://a/__lbheartbeat__",
  "http://[/__lbheartbeat__",
  "http://a:1:2/__lbheartbeat__?a=b",
])
  test(`answers a request for ${target}`, async () => {
    const [response] = await answersTo(get(target, "Host: a\r\nConnection: close\r\n"));
    assert.deepEqual([response?.status, response?.body], ["HTTP/1.1 200 OK", '{"status":"ok"}']);
  });

for (const target of ["http://", "*", "//", "/%ff", "///x", "http://a"])
  test(`answers JSON, or the page, to a request for ${target}`, async () => {
    const [response] = await answersTo(get(target, "Host: a\r\nConnection: close\r\n"));
    assert.match(response?.headers ?? "", /^content-security-policy: /m);
    assert.ok(response?.body.startsWith('{"title":"404') || response?.body.startsWith("<!doctype html>"));
  });

test("delivers the response to a client that sends an entire body over the limit before it reads", async () => {
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1").pause();
  socket.write(post("Content-Length: 30000000\r\nConnection: close\r\n"));
  for (let sent = 0; sent < 30; sent++)
    await new Promise<void>((resolve, reject) =>
      socket.write(Buffer.alloc(1e6), (error) => (error ? reject(error) : resolve())),
    );
  assert.match(await text(socket), /^HTTP\/1\.1 413 /);
});

test("delivers an error to a client that closes the connection after it and still sends a short body", async () => {
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1").pause();
  socket.write("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\nConnection: close\r\n\r\n");
  for (let sent = 0; sent < 9; sent++) {
    await setTimeout(20);
    await new Promise<void>((resolve, reject) =>
      socket.write(Buffer.alloc(100_000), (error) => (error ? reject(error) : resolve())),
    );
  }
  assert.match(await text(socket), /^HTTP\/1\.1 404 /);
});

test("keeps working when clients reset their connections at any point", async () => {
  for (const bytes of [
    "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "NONSENSE\r\n\r\n",
    get("/__heartbeat__"),
    post("Content-Length: 5000000\r\n"),
  ])
    for (let time = 0; time < 5; time++) {
      const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
      socket.write(bytes);
      await once(socket, "connect");
      if (time > 0) await once(socket, "data");
      socket.resetAndDestroy();
    }
  assert.equal((await fetch(`${service.url}/__lbheartbeat__`)).status, 200);
  assert.deepEqual(service.log.filter(({ Severity }) => Severity < 4), []); // prettier-ignore
});

test("keeps working when a client disconnects in the middle of its body", async () => {
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  socket.write("POST /symbolicate/v5 HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{");
  socket.end();
  await text(socket);
  assert.equal((await fetch(`${service.url}/__lbheartbeat__`)).status, 200);
  assert.deepEqual(
    service.log.filter(({ Severity }) => Severity < 4),
    [],
  );
});
