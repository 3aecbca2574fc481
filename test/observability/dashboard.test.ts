import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { catalogue } from "../../src/observability/metrics.ts";

interface Dashboard {
  rows: { panels: { title: string; expr: string[]; alias: string[] }[] }[];
}

const file = new URL("../../deploy/compose/dashboards/tseliot.json", import.meta.url);
const { rows } = JSON.parse(await readFile(file, "utf8")) as Dashboard;
const panels = rows.flatMap((row) => row.panels);

/** Names that the statsd exporter gives to a metric, and its labels. */
const exported = Object.entries(catalogue).map(([name, { type, tags }]) => {
  const base = `eliot_${name.replaceAll(".", "_")}`;
  const names =
    type === "counter" || type === "gauge" ? [base] : ["_bucket", "_count"].map((end) => base + end);
  return { names, labels: ["host", ...tags, ...(names.length > 1 ? ["le"] : [])] as string[] };
});

test("graphs exactly the metrics of the catalogue", () => {
  const graphed = new Set(panels.flatMap(({ expr }) => expr.flatMap((query) => query.match(/eliot_\w+/g))));
  const missing = exported.filter(({ names }) => !names.some((name) => graphed.has(name)));
  assert.deepEqual(missing, []);
  const known = new Set<string | null>(exported.flatMap(({ names }) => names));
  const unknown = [...graphed].filter((name) => !known.has(name));
  assert.deepEqual(unknown, []);
});

test("groups by existing labels of a metric, and uses only those in the legend", () => {
  for (const { title, expr, alias } of panels) {
    assert.equal(alias.length, expr.length, title);
    for (const [index, query] of expr.entries()) {
      const [name = ""] = /eliot_\w+/.exec(query) ?? [];
      const { labels = [] } = exported.find(({ names }) => names.includes(name)) ?? {};
      const grouped = / by \((.*?)\)/.exec(query)?.[1]?.split(", ") ?? [];
      const unknown = grouped.filter((label) => !labels.includes(label));
      assert.deepEqual(unknown, [], query);
      const shown = [...(alias[index] ?? "").matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label);
      const left = query.startsWith("eliot_") ? labels : grouped;
      const gone = shown.filter((label) => !left.includes(label));
      assert.deepEqual(gone, [], query);
    }
  }
});
