/** What never becomes a request, or is refused before its body is read, sent byte by byte. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { startTestService } from "./service.ts";

const service = await startTestService({ ELIOT_MAX_BODY_SIZE: "1kb", ELIOT_REQUEST_TIMEOUT: "0.5" });
test.after(() => service[Symbol.asyncDispose]());

/** All that the service answers to these bytes until it closes the connection. */
async function answersTo(bytes: string): Promise<{ status: string; headers: string; body: string }[]> {
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  socket.write(bytes);
  const answers = (await text(socket)).split(/(?=HTTP\/1\.1 \d)/);
  return answers.map((answer) => {
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    const [status = "", ...headers] = head.split("\r\n");
    return { status, headers: headers.join("\n").toLowerCase(), body };
  });
}

for (const [what, bytes, status] of [
  ["what is no HTTP", "MODULE Linux x86_64 0 a.so\r\n\r\n", "400 Bad Request"],
  [
    "headers of 100 KB",
    `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${"x".repeat(100_000)}\r\n\r\n`,
    "431 Request Header Fields Too Large",
  ],
  [
    "a body over the limit of which the rest never comes",
    `POST /symbolicate/v5 HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n${" ".repeat(2000)}`,
    "413 Payload Too Large",
  ],
  [
    "an unknown content encoding before the body comes",
    "POST /symbolicate/v5 HTTP/1.1\r\nHost: a\r\nContent-Encoding: lzma\r\nContent-Length: 5000\r\n\r\n",
    "415 Unsupported Media Type",
  ],
  ["headers that never end", "GET / HTTP/1.1\r\nHost: a\r\n", "408 Request Timeout"],
  [
    "a body of which the rest never comes",
    "POST /symbolicate/v5 HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n{",
    "408 Request Timeout",
  ],
] as const) {
  test(`answers ${what} with ${status} as JSON, and closes the connection`, async () => {
    const answers = await answersTo(bytes);
    assert.deepEqual(
      answers.map((answer) => [answer.status, JSON.parse(answer.body)]),
      [[`HTTP/1.1 ${status}`, { title: status }]],
    );
    assert.match(answers[0]?.headers ?? "", /^access-control-allow-origin: \*$/m);
    assert.match(answers[0]?.headers ?? "", /^content-type: application\/json/m);
    assert.match(answers[0]?.headers ?? "", /^connection: close$/m);
  });
}

test("answers requests that come all at once on one connection", async () => {
  const request = (path: string, rest: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${rest}\r\n`;
  const answers = await answersTo(
    request("/__lbheartbeat__", "") +
      request("/nowhere", "") +
      request("/__lbheartbeat__", "Connection: close\r\n"),
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK"],
  );
});

test("answers on when a client leaves in the middle of its body", async () => {
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
