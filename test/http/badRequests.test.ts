import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { test } from "node:test";
import { checkResponse } from "../support/checkResponse.ts";
import { fixtures, startTestService } from "../support/service.ts";

interface Case {
  name: string;
  request: { method: string; path: string; headers: Record<string, string>; body?: string };
  response: { status: number; headers: Record<string, string>; json?: unknown };
}

const cases = JSON.parse(readFileSync(new URL("errors.json", fixtures), "utf8")) as Case[];

const invalid = (part: "module_index" | "module_offset") => ({
  status: 400,
  title: `job 0 has invalid stacks: stack 0 frame 0 has an invalid ${part}`,
});

/** Where the contract differs from what was recorded, on purpose: another error, or an answer without one. */
const differences: Record<string, { status: number; title?: string }> = {
  "json-null": { status: 400, title: "job 0 is invalid" },
  "json-number": { status: 400, title: "job 0 is invalid" },
  "nan-offset": { status: 400, title: "Payload is not valid JSON" },
  "jobs-not-list": { status: 400, title: "jobs must be a list" },
  "jobs-null": { status: 400, title: "jobs must be a list" },
  // Any name and id is accepted.
  ...Object.fromEntries(
    cases
      .filter(({ name, response }) => /^module-(name|id)-(?!number)/.test(name) && response.status >= 400)
      .map(({ name }) => [name, { status: 200 }]),
  ),
  "module-name-23": { status: 200 },
  "frame-index-bool": invalid("module_index"),
  "frame-offset-bool": invalid("module_offset"),
  "frame-index-float": { status: 200 },
  "frame-offset-float-whole": { status: 200 },
  "frame-offset-exponent": { status: 200 },
  "head-lbheartbeat": { status: 200 },
};
/** Their bodies are tested elsewhere: the contract gives them others than the recorded. */
const otherBodies = new Set([
  "get-__heartbeat__",
  "get-__lbheartbeat__",
  "get-",
  "debug-header",
  "head-lbheartbeat",
]);
const contractHeaders = [
  "allow",
  "access-control-allow-origin",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-max-age",
];

const service = await startTestService();
test.after(() => service[Symbol.asyncDispose]());

for (const { name, request, response } of cases) {
  const difference = differences[name];
  test(`${name}: answers ${difference ? "as the contract says" : "as recorded"}`, async () => {
    const answer = await send(request);
    checkResponse({
      ...answer,
      method: request.method,
      path: new URL(request.path, service.url).pathname,
      contentType: String(answer.headers["content-type"]),
    });
    assert.equal(answer.status, difference?.status ?? response.status);
    for (const header of contractHeaders) {
      const recorded = response.headers[header];
      if (recorded !== undefined && !difference) assert.equal(answer.headers[header], recorded, header);
    }
    if (answer.status >= 400) assert.equal(answer.headers["access-control-allow-origin"], "*");
    if (difference?.title) assert.deepEqual(JSON.parse(answer.body), { title: difference.title });
    else if (!difference && !otherBodies.has(name) && response.json)
      assert.deepEqual(JSON.parse(answer.body), response.json);
  });
}

test("every listed difference belongs to a recorded response", () => {
  const names = cases.map(({ name }) => name);
  assert.deepEqual(
    Object.keys(differences).filter((name) => !names.includes(name)),
    [],
  );
});

/** As recorded, to the header: fetch() would add its own. */
function send({
  method,
  path,
  headers,
  body,
}: Case["request"]): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(service.url + path, { method, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(pieces).toString(),
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
