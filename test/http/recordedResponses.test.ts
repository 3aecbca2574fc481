import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { fixtures, startTestService } from "../support/service.ts";

interface Recorded {
  request: { method: string; path: string };
  response: { status: number; json: unknown };
}

const services = {
  "as recorded": await startTestService(),
  "as recorded with hardly any memory for lookups": await startTestService({ "lookup.memoryBytes": "1" }),
};
test.after(() => Promise.all(Object.values(services).map((service) => service[Symbol.asyncDispose]())));

for (const folder of ["answers/", "quirks/answers/"]) {
  for (const name of readdirSync(new URL(folder, fixtures))) {
    for (const [how, service] of Object.entries(services)) {
      test(`answers ${folder}${name} ${how}`, async () => {
        const text = gunzipSync(
          readFileSync(new URL(folder + encodeURIComponent(name), fixtures)),
        ).toString();
        const { request, response } = JSON.parse(text) as Recorded;
        const answer = await service.post(request.path, requestText(text));
        assert.deepEqual(
          { status: answer.status, json: await answer.json() },
          { status: response.status, json: response.json },
        );
      });
    }
  }
}

/** The request's JSON as it stands in the file: parsing would round offsets past 2^53. */
function requestText(recorded: string): string {
  const start = recorded.indexOf('"json"');
  const end = recorded.indexOf('"response"');
  return recorded.slice(recorded.indexOf(":", start) + 1, recorded.lastIndexOf("}", end));
}
