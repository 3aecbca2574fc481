import { z } from "zod";
import manifest from "../../../package.json" with { type: "json" };
import { BulkOptions } from "../../codec/bulk/bulkOptions.ts";
import {
  BulkAnswerLine,
  CacheCounts,
  ErrorAnswer,
  Health,
  Liveness,
  V4Answer,
  V5Answer,
  Version,
} from "./answers.ts";
import { components } from "./components.ts";
import { referencePage } from "./referencePage.ts";
import { BulkLine, V4Request, V5Request } from "./requests.ts";

/** What of JSON Schema the document has. */
export interface JsonSchema {
  $ref?: string;
  description?: string;
  type?: string | string[];
  enum?: string[];
  const?: string | boolean;
  pattern?: string;
  minimum?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema | boolean;
  prefixItems?: JsonSchema[];
  additionalProperties?: JsonSchema | boolean;
  anyOf?: JsonSchema[];
}

export interface Parameter {
  name: string;
  in: "query" | "header";
  description: string;
  schema: JsonSchema;
}

type Content = Record<string, { schema: JsonSchema }>;

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
  info: {
    title: string;
    version: string;
    description: string;
    license: { name: string; identifier: string };
  };
  servers: { url: string }[];
  /** What clients must show to be let in. */
  security: [];
  paths: Record<string, { get?: Operation; post?: Operation }>;
  components: { schemas: Record<string, JsonSchema> };
}

/** A reference to one of the schemas. */
function ref(schema: z.ZodType): JsonSchema {
  return { $ref: uri(components.get(schema)?.id ?? "") };
}

function json(schema: z.ZodType): Content {
  return { "application/json": { schema: ref(schema) } };
}

function answer(description: string, content: Content) {
  return { description, content };
}

function failure(description: string) {
  return answer(description, json(ErrorAnswer));
}

/** What any request may meet. */
const failures = {
  "4XX": failure("The request can't be answered: the title says why."),
  "5XX": failure("A bug of the service."),
};

/** What requests for symbols may meet. */
const refusals = {
  "400": failure("The request breaks a rule, which the title names."),
  "413": failure("The body or the answer is too large."),
  "415": failure("The `Content-Encoding` is none of those above."),
  "503": {
    ...failure("Too much is under way."),
    headers: {
      "Retry-After": { description: "in how many seconds to ask again", schema: { type: "integer" } },
    },
  },
  ...failures,
};

const unavailable = answer("It is in error, or shuts down.", json(Health));

function get(operationId: string, summary: string, responses: Operation["responses"]): { get: Operation } {
  return { get: { operationId, summary, responses: { ...responses, ...failures } } };
}

const html: Content = { "text/html": { schema: { type: "string" } } };

const debugHeader: Parameter = {
  name: "Debug",
  in: "header",
  description: "Of any value: the answer has `debug`, which tells how it came about.",
  schema: { type: "string" },
};

const encodings = "`Content-Encoding` may be `gzip`, `deflate`, `br` or `zstd`.";

const paths: OpenApi["paths"] = {
  "/symbolicate/v5": {
    post: {
      operationId: "symbolicateV5",
      summary: "Symbolicates up to ten jobs",
      description: "A module whose symbols can't be had fails nothing: its frames stay bare.",
      parameters: [debugHeader],
      requestBody: {
        required: true,
        description: `JSON in UTF-8, whatever its \`Content-Type\`. ${encodings} A \`moduleIndex\` must be in the memory map. Other keys are ignored.`,
        content: json(V5Request),
      },
      responses: { "200": answer("What is at the addresses.", json(V5Answer)), ...refusals },
    },
  },
  "/symbolicate/v4": {
    post: {
      operationId: "symbolicateV4",
      summary: "Symbolicates a job, for old clients",
      deprecated: true,
      requestBody: { required: true, description: "As for v5, of one job.", content: json(V4Request) },
      responses: { "200": answer("What is at the addresses.", json(V4Answer)), ...refusals },
    },
  },
  "/symbolicate/bulk": {
    post: {
      operationId: "symbolicateBulk",
      summary: "Symbolicates any number of jobs and crash pings, line by line",
      description:
        "The answer has a line for each line of the body that isn't blank, in their order, while the rest is still being read. A bad line is told of in its place. An answer that must end early ends with a `fatal` error.",
      parameters: [debugHeader, ...parametersOf(BulkOptions)],
      requestBody: {
        required: true,
        description: `A JSON value on each line, in UTF-8, whatever the \`Content-Type\`. ${encodings}`,
        content: { "application/x-ndjson": { schema: ref(BulkLine) } },
      },
      responses: {
        "200": answer("A JSON value on each line.", {
          "application/x-ndjson": { schema: ref(BulkAnswerLine) },
        }),
        ...refusals,
      },
    },
  },
  "/__version__": get("version", "What was built", { "200": answer("The version.", json(Version)) }),
  "/__heartbeat__": get("heartbeat", "Whether what the service needs is there", {
    "200": answer("Nothing is in error.", json(Health)),
    "503": unavailable,
  }),
  "/__lbheartbeat__": get("lbheartbeat", "Whether requests are accepted, for load balancers", {
    "200": answer("They are.", json(Liveness)),
    "503": unavailable,
  }),
  "/__broken__": get("broken", "Fails, to prove that errors are reported", {}),
  "/__error__": get("error", "Fails likewise", {}),
  "/cache": get("cache", "What the cache holds", { "200": answer("The counts.", json(CacheCounts)) }),
  "/": get("page", "A page for people", {
    "200": answer("The page.", html),
    "304": { description: "The page that the client has." },
  }),
  "/docs": get("docs", "This document as a page", { "200": answer("The page.", html) }),
  "/openapi.json": get("openapi", "This document", {
    "200": answer("The document.", { "application/json": { schema: { type: "object" } } }),
  }),
};

function parametersOf(query: z.ZodObject): Parameter[] {
  return Object.entries(query.shape).map(([name, schema]) => {
    const { description = "", ...rest } = z.toJSONSchema(schema, { io: "input" });
    delete rest.$schema;
    return { name, in: "query", description, schema: rest as JsonSchema };
  });
}

function schemasByName(): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(components, { uri, unrepresentable: "any" });
  // That of the document is OpenAPI's, and their names are in its references.
  for (const schema of Object.values(schemas)) {
    delete schema.$schema;
    delete schema.$id;
  }
  return schemas as Record<string, JsonSchema>;
}

function uri(name: string): string {
  return `#/components/schemas/${name}`;
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
  // Where the document is.
  servers: [{ url: "/" }],
  security: [],
  paths,
  components: { schemas: schemasByName() },
};

/** The same as a page. */
export const openApiPage = referencePage(openApi);
