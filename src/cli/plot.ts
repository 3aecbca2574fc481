import { short } from "./numberText.ts";

/** Lines over the same axis. */
export interface Panel {
  title: string;
  /** Of both axes; a linear vertical one begins at 0. Semi-logarithmic is a linear axis of time below a logarithmic one. */
  axes: "logarithmic" | "linear" | "semi-logarithmic";
  /** Marks of the horizontal axis. */
  ticks: number[];
  series: { name: string; points: { x: number; y: number }[] }[];
}

const height = 260;
const titleHeight = 30;
const margin = { left: 60, right: 20, top: 40, bottom: 36 };
/** Lines of more points are drawn without a dot for each. */
const mostDots = 30;
/** Marks of a linear vertical axis, at least. */
const leastMarks = 4;

/** An SVG with panels side by side, so many in a row, each so many units wide. */
export function plot(title: string, panels: Panel[], columns = panels.length, width = 400): string {
  const rows = Math.ceil(panels.length / columns);
  const drawn = panels.map((panel, index) => {
    const [x, y] = [(index % columns) * width, titleHeight + Math.floor(index / columns) * height];
    return `<g transform="translate(${x} ${y})">\n${draw(panel, width)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * width} ${titleHeight + rows * height}" font-family="system-ui, sans-serif" font-size="12">
<title>${escaped(title)}</title>
<style>
text { fill: #24292f } .grid { stroke: #d0d7de } path { fill: none; stroke-width: 2; stroke-linejoin: round }
.s0 { stroke: #bf5700; fill: #bf5700 } .s1 { stroke: #0969da; fill: #0969da } .s2 { stroke: #8250df; fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #d1d7e0 } .grid { stroke: #3d444d }
.s0 { stroke: #f0883e; fill: #f0883e } .s1 { stroke: #58a6ff; fill: #58a6ff } .s2 { stroke: #bc8cff; fill: #bc8cff }
}
</style>
<text x="${margin.left}" y="20" font-size="14" font-weight="600">${escaped(title)}</text>
${drawn.join("\n")}
</svg>
`;
}

function draw({ title, axes, ticks, series }: Panel, width: number): string {
  const values = series.flatMap(({ points }) => points.map(({ y }) => y));
  const marks = axes === "linear" ? evenMarks(Math.max(0, ...values) || 1) : decades(values);
  const horizontal = axes === "logarithmic" ? logarithmic : linear;
  const vertical = axes === "linear" ? linear : logarithmic;
  const x = horizontal(Math.min(...ticks), Math.max(...ticks), margin.left, width - margin.right);
  const y = vertical(marks[0] ?? 0, marks.at(-1) ?? 1, height - margin.bottom, margin.top);
  return [
    `<text x="${margin.left}" y="${margin.top - 24}">${title}</text>`,
    ...series.map(
      ({ name }, index) =>
        `<circle class="s${index}" cx="${margin.left + 5 + index * 130}" cy="${margin.top - 12}" r="4"/>` +
        `<text x="${margin.left + 14 + index * 130}" y="${margin.top - 8}">${name}</text>`,
    ),
    ...marks.map(
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
      return `<g class="s${index}"><path d="M${places.join(" L")}"/>${points.length > mostDots ? "" : dots.join("")}</g>`;
    }),
  ].join("\n");
}

/** From 0 past `most` in steps of 1, 2 or 5 times a power of ten. */
function evenMarks(most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(most / leastMarks));
  const step = power * ([5, 2].find((times) => most / (power * times) >= leastMarks) ?? 1);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step);
}

/** The powers of ten around all values. */
function decades(values: number[]): number[] {
  const lowest = Math.floor(Math.log10(Math.min(...values)));
  const highest = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index));
}

/** A scale that maps `least` to `from` and `most` to `to`. */
type Scale = (least: number, most: number, from: number, to: number) => (value: number) => number;

const linear: Scale = (least, most, from, to) => (value) =>
  Number((from + ((to - from) * (value - least)) / (most - least)).toFixed(1));

const logarithmic: Scale = (least, most, from, to) => {
  const place = linear(Math.log10(least), Math.log10(most), from, to);
  return (value) => place(Math.log10(value));
};

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
