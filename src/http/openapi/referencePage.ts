import type { JsonSchema, OpenApi, Operation } from "./document.ts";

/**
 * The document as a page without scripts. The renderers that there are set styles that the content policy forbids, or load
 * what it forbids; this one needs a style sheet alone.
 */
export function referencePage({ info, paths, components }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const links = operations.map(({ path, method, operation: { operationId, summary } }) =>
    item(`<a href="#${operationId}"><code>${method} ${path}</code></a> ${prose(summary)}`),
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<section id="${name}"><h3>${name}</h3>${list([entry("", schema)])}</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(info.title)}: the API</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/docs.css">
</head>
<body>
<header><h1>${escaped(info.title)}: the API</h1><p>${prose(info.description)} As <a href="/openapi.json">OpenAPI</a>.</p></header>
<nav aria-label="Requests">${list(links)}</nav>
<main>
<h2>Requests</h2>
${operations.map(({ path, method, operation }) => section(`${method} ${path}`, operation)).join("\n")}
<h2>Bodies and answers</h2>
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
  const asked = parameters.map((parameter) =>
    entry(`${parameter.name} (${parameter.in})`, parameter.schema, parameter.description),
  );
  const answers = Object.entries(responses).map(([status, response]) =>
    item(`<code>${status}</code> ${contentOf(response.content)} ${prose(response.description)}`),
  );
  const body =
    requestBody && `<h4>Body</h4><p>${contentOf(requestBody.content)} ${prose(requestBody.description)}</p>`;
  return `<section id="${operationId}">
<h3><code>${title}</code></h3>
<p>${prose(summary)}${deprecated ? " (deprecated)" : ""}. ${prose(description)}</p>
${asked.length > 0 ? `<h4>Parameters</h4>${list(asked)}` : ""}
${body ?? ""}
<h4>Answers</h4>${list(answers)}
</section>`;
}

function contentOf(content: Record<string, { schema: JsonSchema }> = {}): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `${typeOf(schema)} as <code>${type}</code>:`)
    .join(" ");
}

/** A value, and what it is made of. */
function entry(name: string, schema: JsonSchema, description = schema.description ?? ""): string {
  const label = name === "" ? "" : `<code>${escaped(name)}</code> `;
  return item(`${label}<em>${typeOf(schema)}</em> ${prose(description)}${list(partsOf(schema))}`);
}

/** Of a list, or an object of any keys, the parts of what is in it. */
function partsOf(schema: JsonSchema | boolean | undefined): string[] {
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
    ...Object.entries(properties).map(([name, part]) =>
      entry(required.includes(name) ? name : `${name}?`, part),
    ),
    ...prefixItems.map((part, position) => entry(String(position), part)),
    ...partsOf(items),
    ...partsOf(additionalProperties),
    ...anyOf.filter((part) => partsOf(part).length > 0).map((part) => entry("", part)),
  ];
}

function typeOf(schema: JsonSchema): string {
  const { $ref, anyOf, enum: values, const: value, type, items, prefixItems, additionalProperties } = schema;
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return `<a href="#${name}">${name}</a>`;
  }
  if (anyOf) return anyOf.map(typeOf).join(" or ");
  if (values) return values.map((text) => `<code>${escaped(text)}</code>`).join(" or ");
  if (value !== undefined) return `<code>${escaped(String(value))}</code>`;
  if (prefixItems) return `list of ${prefixItems.length}`;
  if (type === "array")
    return `list${typeof items === "object" ? ` of ${typeOf(items)}` : ""}${bounds(schema.minItems, schema.maxItems)}`;
  if (typeof additionalProperties === "object" && additionalProperties.type)
    return `object of ${typeOf(additionalProperties)}`;
  const pattern = schema.pattern === undefined ? "" : `, <code>${escaped(schema.pattern)}</code>`;
  const name = Array.isArray(type) ? type.join(" or ") : (type ?? "anything");
  return name + bounds(schema.minimum, undefined) + bounds(undefined, schema.maxLength) + pattern;
}

function bounds(least: number | undefined, most: number | undefined): string {
  if (least === undefined) return most === undefined ? "" : `, at most ${most}`;
  return `, at least ${least}`;
}

function list(items: string[]): string {
  return items.length > 0 ? `<ul>${items.join("")}</ul>` : "";
}

function item(html: string): string {
  return `<li>${html}</li>`;
}

/** Text in which `code` is code. */
function prose(text: string): string {
  return escaped(text).replaceAll(/`([^`]*)`/g, "<code>$1</code>");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
