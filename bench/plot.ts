import { short } from "./row.ts";

/** Lines over the same logarithmic axis. */
export interface Panel {
  title: string;
  /** Marks of the horizontal axis. */
  ticks: number[];
  series: { name: string; points: { x: number; y: number }[] }[];
}

const width = 400;
const height = 300;
const margin = { left: 60, right: 20, top: 70, bottom: 36 };

/** An SVG with panels side by side, both axes logarithmic. */
export function plot(title: string, panels: Panel[]): string {
  const names = panels[0]?.series.map(({ name }) => name) ?? [];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${panels.length * width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>${title}</title>
<style>
text { fill: #24292f } .grid { stroke: #d0d7de } path { fill: none; stroke-width: 2 }
.s0 { stroke: #bf5700; fill: #bf5700 } .s1 { stroke: #0969da; fill: #0969da }
@media (prefers-color-scheme: dark) {
text { fill: #d1d7e0 } .grid { stroke: #3d444d }
.s0 { stroke: #f0883e; fill: #f0883e } .s1 { stroke: #58a6ff; fill: #58a6ff }
}
</style>
<text x="${margin.left}" y="20" font-size="14" font-weight="600">${title}</text>
${names.map((name, index) => `<circle class="s${index}" cx="${margin.left + 5 + index * 130}" cy="34" r="4"/><text x="${margin.left + 14 + index * 130}" y="38">${name}</text>`).join("\n")}
${panels.map((panel, index) => `<g transform="translate(${index * width})">\n${draw(panel)}\n</g>`).join("\n")}
</svg>
`;
}

function draw({ title, ticks, series }: Panel): string {
  const values = series.flatMap(({ points }) => points.map(({ y }) => y));
  const lowest = Math.floor(Math.log10(Math.min(...values)));
  const highest = Math.ceil(Math.log10(Math.max(...values)));
  const decades = Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index));
  const x = scale(Math.min(...ticks), Math.max(...ticks), margin.left, width - margin.right);
  const y = scale(10 ** lowest, 10 ** highest, height - margin.bottom, margin.top);
  return [
    `<text x="${margin.left}" y="${margin.top - 6}">${title}</text>`,
    ...decades.map(
      (value) =>
        `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${y(value)}" y2="${y(value)}"/>` +
        `<text x="${margin.left - 6}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`,
    ),
    ...ticks.map(
      (value) =>
        `<text x="${x(value)}" y="${height - margin.bottom + 18}" text-anchor="middle">${short(value)}</text>`,
    ),
    ...series.map(({ points }, index) => {
      const places = points.map((point) => `${x(point.x)} ${y(point.y)}`);
      const dots = points.map((point) => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3"/>`);
      return `<g class="s${index}"><path d="M${places.join(" L")}"/>${dots.join("")}</g>`;
    }),
  ].join("\n");
}

/** A logarithmic scale that maps `least` to `from` and `most` to `to`. */
function scale(least: number, most: number, from: number, to: number): (value: number) => number {
  const perDecade = (to - from) / Math.log10(most / least);
  return (value) => Number((from + perDecade * Math.log10(value / least)).toFixed(1));
}
