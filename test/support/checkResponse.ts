import assert from "node:assert/strict";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { openApi } from "../../openapi/document.ts";

export interface CheckedResponse {
  method: string;
  path: string;
  status: number;
  contentType: string;
  body: string;
}

const ajv = new Ajv2020({ strict: false }).addSchema(openApi, "openapi");
const validators = new Map<string, ValidateFunction>();

/** Throws where an answer is none of those that the API's document has for the request. */
export function checkResponse({ method, path, status, contentType, body }: CheckedResponse): void {
  const methods = openApi.paths[path];
  const operation = method === "POST" ? methods?.post : methods?.get;
  const what = `${status} to ${method} ${path}`;
  if (method === "OPTIONS" && status === 200) return assert.equal(body, "", what);
  if (!operation) {
    if (path.startsWith("/static/") && (status === 200 || status === 304)) return;
    assert.ok(status >= 400, `${what} is not in the document`);
    return checkValue("Error", body, what);
  }
  const response = operation.responses[status] ?? operation.responses[`${String(status)[0]}XX`];
  if (response && !response.content) return assert.equal(body, "", what);
  const type = contentType.split(";")[0] ?? "";
  const content = response?.content?.[type];
  assert.ok(content, `${what} as ${type} is not in the document`);
  const name = content.schema.$ref?.split("/").at(-1);
  if (!name || method === "HEAD") return;
  const values = type === "application/x-ndjson" ? body.split("\n").slice(0, -1) : [body];
  for (const value of values) checkValue(name, value, what);
}

function checkValue(schema: string, json: string, what: string): void {
  let validate = validators.get(schema);
  if (!validate) {
    validate = ajv.compile({ $ref: `openapi#/components/schemas/${schema}` });
    validators.set(schema, validate);
  }
  if (!validate(JSON.parse(json)))
    assert.fail(`${what} is no ${schema}: ${ajv.errorsText(validate.errors)}\n${json.slice(0, 1000)}`);
}

/** Lets every answer of a service be checked that fetch() gets from here on. */
export function checkFetchedResponses(): void {
  const plainFetch = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const response = await plainFetch(input, init);
    // All of the service's have it; others stand in its place.
    if (!response.headers.has("content-security-policy")) return response;
    const { method, url } = new Request(input, init?.method ? { method: init.method } : {});
    checkResponse({
      method,
      path: new URL(url).pathname,
      status: response.status,
      contentType: response.headers.get("content-type") ?? "",
      body: await response.clone().text(),
    });
    return response;
  };
}
