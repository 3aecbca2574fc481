import type { Content, JsonSchema, OpenApi, Operation } from "./document.ts";

type SchemaOrBoolean = JsonSchema | boolean;

/** Renders the document as HTML without scripts. Existing renderers need styles or images that the content policy forbids. */
export function referencePage({ info, paths, components }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      title: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
  const links = operations.map(
    ({ title, operation: { operationId, summary } }) =>
      `<a href="#${operationId}"><code>${title}</code></a> ${prose(summary)}`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<section id="${name}"><h3>${name}</h3>${list([entry("", schema)])}</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(info.title)} API</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/docs.css">
</head>
<body>
<header><h1>${escaped(info.title)} API</h1><p>${prose(info.description)} As <a href="/openapi.json">OpenAPI</a>.</p></header>
<nav aria-label="Requests">${list(links)}</nav>
<main>
<h2>Requests</h2>
${operations.map(({ title, operation }) => section(title, operation)).join("\n")}
<h2>Schemas</h2>
${schemas.join("\n")}
</main>
</body>
</html>
`;
}

function section(title: string, operation: Operation): string {
  const {
    operationId,
    summary,
    description = "",
    deprecated,
    parameters = [],
    requestBody,
    responses,
  } = operation;
  const parameterItems = parameters.map(({ name, in: where, schema, description: text }) =>
    entry(`${name} (${where})`, schema, text),
  );
  const responseItems = Object.entries(responses).map(
    ([status, response]) =>
      `<code>${status}</code> ${contentOf(response.content)} ${prose(response.description)}`,
  );
  return `<section id="${operationId}">
<h3><code>${title}</code></h3>
<p>${prose(summary)}${deprecated ? " (deprecated)" : ""}. ${prose(description)}</p>
${parameters.length > 0 ? `<h4>Parameters</h4>${list(parameterItems)}` : ""}
${requestBody ? `<h4>Body</h4><p>${contentOf(requestBody.content)} ${prose(requestBody.description)}</p>` : ""}
<h4>Responses</h4>${list(responseItems)}
</section>`;
}

function contentOf(content: Content = {}): string {
  return Object.entries(content)
    .map(([mediaType, { schema }]) => `${typeOf(schema)} as <code>${mediaType}</code>:`)
    .join(" ");
}

/** A schema with its name, type, description and children. */
function entry(name: string, schema: SchemaOrBoolean, description?: string): string {
  const label = name === "" ? "" : `<code>${escaped(name)}</code> `;
  const text = description ?? (typeof schema === "object" ? schema.description : undefined) ?? "";
  return `${label}<em>${typeOf(schema)}</em> ${prose(text)}${list(childrenOf(schema))}`;
}

/** The entries of an object's properties or a tuple's items. Arrays and maps have those of their elements. */
function childrenOf(schema: SchemaOrBoolean | undefined): string[] {
  if (typeof schema !== "object") return [];
  const {
    properties = {},
    required = [],
    items,
    prefixItems = [],
    additionalProperties,
    anyOf = [],
  } = schema;
  return [
    ...Object.entries(properties).map(([name, child]) =>
      entry(required.includes(name) ? name : `${name}?`, child),
    ),
    ...prefixItems.map((child, index) => entry(String(index), child)),
    ...(Array.isArray(items) ? [] : childrenOf(items)),
    ...childrenOf(additionalProperties),
    ...anyOf.filter((child) => childrenOf(child).length > 0).map((child) => entry("", child)),
  ];
}

function typeOf(schema: SchemaOrBoolean): string {
  if (typeof schema !== "object") return "anything";
  const { $ref, anyOf, enum: values, const: value, type, items, prefixItems, additionalProperties } = schema;
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return `<a href="#${name}">${name}</a>`;
  }
  if (anyOf) return anyOf.map(typeOf).join(" or ");
  const literals = values ?? (value === undefined ? [] : [value]);
  if (literals.length > 0)
    return literals.map((literal) => `<code>${escaped(String(literal))}</code>`).join(" or ");
  if (prefixItems) return `list of ${prefixItems.length}`;
  if (type === "array") {
    const elements = typeof items === "object" && !Array.isArray(items) ? ` of ${typeOf(items)}` : "";
    return `list${elements}${bound("at least", schema.minItems)}${bound("at most", schema.maxItems)}`;
  }
  if (typeof additionalProperties === "object" && additionalProperties.type)
    return `object of ${typeOf(additionalProperties)}`;
  const name = Array.isArray(type) ? type.join(" or ") : (type ?? "anything");
  const pattern = schema.pattern === undefined ? "" : `, <code>${escaped(schema.pattern)}</code>`;
  return `${name}${bound("at least", schema.minimum)}${bound("at most", schema.maxLength)}${pattern}`;
}

function bound(words: string, limit: number | undefined): string {
  return limit === undefined ? "" : `, ${words} ${limit}`;
}

function list(items: string[]): string {
  return items.length > 0 ? `<ul>${items.map((item) => `<li>${item}</li>`).join("")}</ul>` : "";
}

/** Escapes text, and turns \`words\` into code. */
function prose(text: string): string {
  return escaped(text).replaceAll(/`([^`]*)`/g, "<code>$1</code>");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
