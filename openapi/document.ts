import { z } from "zod";
import manifest from "../package.json" with { type: "json" };
import { BulkOptions } from "../src/codec/bulk/bulkOptions.ts";
import {
  BulkLine,
  BulkResponseLine,
  CacheCounts,
  components,
  ErrorResponse,
  Health,
  Liveness,
  V4Request,
  V4Response,
  V5Request,
  V5Response,
  Version,
} from "./schemas.ts";

export type JsonSchema = z.core.JSONSchema.JSONSchema;

interface Parameter {
  name: string;
  in: "query" | "header";
  description: string;
  schema: JsonSchema;
}

export type Content = Record<string, { schema: JsonSchema }>;

export interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  deprecated?: boolean;
  parameters?: Parameter[];
  requestBody?: { required: boolean; description: string; content: Content };
  responses: Record<string, { description: string; headers?: Record<string, object>; content?: Content }>;
}

export interface OpenApi {
  openapi: string;
  info: { title: string; version: string; description: string; license: object };
  servers: { url: string }[];
  /** Empty: clients need no credentials. */
  security: [];
  paths: Record<string, { get?: Operation; post?: Operation }>;
  components: { schemas: Record<string, JsonSchema> };
}

const uri = (name: string) => `#/components/schemas/${name}`;

function body(schema: z.ZodType, mediaType = "application/json"): Content {
  return { [mediaType]: { schema: { $ref: uri(components.get(schema)?.id ?? "") } } };
}

function error(description: string) {
  return { description, content: body(ErrorResponse) };
}

const anyErrors = {
  "4XX": error("The request is invalid; the title says why."),
  "5XX": error("A bug in the service."),
};

const symbolicationErrors = {
  "400": error("The request breaks a rule; the title says which."),
  "413": error("The body or the response is too large."),
  "415": error("The `Content-Encoding` is not supported."),
  "503": {
    ...error("The service is overloaded."),
    headers: {
      "Retry-After": { description: "when to retry, in seconds", schema: { type: "integer" } },
    },
  },
  ...anyErrors,
};

function get(
  operationId: string,
  summary: string,
  ok: z.ZodType | Content,
  others: Operation["responses"] = {},
): { get: Operation } {
  const content = ok instanceof z.ZodType ? body(ok) : ok;
  return {
    get: {
      operationId,
      summary,
      responses: { "200": { description: "OK", content }, ...others, ...anyErrors },
    },
  };
}

function failOnPurpose(operationId: string): { get: Operation } {
  return { get: { operationId, summary: "Fails, to test error reporting", responses: anyErrors } };
}

function queryParameters(query: z.ZodObject): Parameter[] {
  return Object.entries(query.shape).map(([name, schema]) => {
    const { description = "", $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
    return { name, in: "query", description, schema: rest };
  });
}

const debugHeader: Parameter = {
  name: "Debug",
  in: "header",
  description: "If it is not empty, the response has `debug`: timings, and a status for each module.",
  schema: { type: "string" },
};
const encodings = "`Content-Encoding` may be `gzip`, `deflate`, `br` or `zstd`.";
const html: Content = { "text/html": { schema: { type: "string" } } };
const unavailable = {
  "503": { description: "A check is in error, or the service is shutting down.", content: body(Health) },
};

const paths: OpenApi["paths"] = {
  "/symbolicate/v5": {
    post: {
      operationId: "symbolicateV5",
      summary: "Symbolicates up to ten jobs",
      description:
        "Results, stacks and frames keep the order of the request. A module without symbols does not fail the request.",
      parameters: [debugHeader],
      requestBody: {
        required: true,
        description: `JSON in UTF-8, whatever its \`Content-Type\`. ${encodings} Unknown keys are ignored.`,
        content: body(V5Request),
      },
      responses: { "200": { description: "Symbols", content: body(V5Response) }, ...symbolicationErrors },
    },
  },
  "/symbolicate/v4": {
    post: {
      operationId: "symbolicateV4",
      summary: "Symbolicates one job",
      deprecated: true,
      requestBody: { required: true, description: "As in v5.", content: body(V4Request) },
      responses: { "200": { description: "Symbols", content: body(V4Response) }, ...symbolicationErrors },
    },
  },
  "/symbolicate/bulk": {
    post: {
      operationId: "symbolicateBulk",
      summary: "Symbolicates any number of jobs and crash pings, one per line",
      description:
        "The response has a line for each line of the body that is not blank, in order, and begins before the body ends. An invalid line gets an error line. A response that must end early ends with a `fatal` error.",
      parameters: [debugHeader, ...queryParameters(BulkOptions)],
      requestBody: {
        required: true,
        description: `NDJSON in UTF-8, whatever its \`Content-Type\`. ${encodings}`,
        content: body(BulkLine, "application/x-ndjson"),
      },
      responses: {
        "200": { description: "NDJSON", content: body(BulkResponseLine, "application/x-ndjson") },
        ...symbolicationErrors,
      },
    },
  },
  "/__version__": get("version", "The version that was built", Version),
  "/__heartbeat__": get("heartbeat", "Whether the service and its dependencies work", Health, unavailable),
  "/__lbheartbeat__": get(
    "lbheartbeat",
    "Whether requests are accepted, for load balancers",
    Liveness,
    unavailable,
  ),
  "/__broken__": failOnPurpose("broken"),
  "/__error__": failOnPurpose("error"),
  "/cache": get("cache", "Size and hit rate of the cache", CacheCounts),
  "/": get("page", "The web page", html, { "304": { description: "The client's copy is current." } }),
  "/docs": get("docs", "This document as a page", html),
  "/openapi.json": get("openapi", "This document", { "application/json": { schema: { type: "object" } } }),
};

const { schemas } = z.toJSONSchema(components, { uri, unrepresentable: "any" });
// OpenAPI has its own, and names the schemas itself.
for (const schema of Object.values(schemas)) {
  delete schema.$schema;
  delete schema.$id;
}

/** The API in OpenAPI 3.1. */
export const openApi: OpenApi = {
  openapi: "3.1.1",
  info: {
    title: manifest.name,
    version: manifest.version,
    description: `${manifest.description}.`,
    license: { name: "Mozilla Public License 2.0", identifier: manifest.license },
  },
  servers: [{ url: "/" }],
  security: [],
  paths,
  components: { schemas },
};
