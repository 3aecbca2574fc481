import { short } from "../src/captures/numberText.ts";

/** A line chart. */
export interface Panel {
  title: string;
  /** Semi-logarithmic: linear x, logarithmic y. A linear y axis starts at 0. */
  axes: "logarithmic" | "linear" | "semi-logarithmic";
  /** On the x axis. */
  ticks: number[];
  series: { name: string; points: { x: number; y: number }[] }[];
}

const height = 260;
const titleHeight = 30;
const margin = { left: 60, right: 20, top: 40, bottom: 36 };
/** Longer lines are drawn without dots. */
const maxDots = 30;
/** On a linear y axis. */
const minMarks = 4;

/** An SVG of panels of the given width, in rows of `columns`. */
export function plot(title: string, panels: Panel[], columns = panels.length, width = 400): string {
  const rows = Math.ceil(panels.length / columns);
  const drawn = panels.map((panel, index) => {
    const [x, y] = [(index % columns) * width, titleHeight + Math.floor(index / columns) * height];
    return `<g transform="translate(${x} ${y})">\n${draw(panel, width)}\n</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${columns * width} ${titleHeight + rows * height}" font-family="system-ui, sans-serif" font-size="12">
<title>${escape(title)}</title>
<style>
text { fill: #24292f } .grid { stroke: #d0d7de } path { fill: none; stroke-width: 2; stroke-linejoin: round }
.s0 { stroke: #bf5700; fill: #bf5700 } .s1 { stroke: #0969da; fill: #0969da } .s2 { stroke: #8250df; fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #d1d7e0 } .grid { stroke: #3d444d }
.s0 { stroke: #f0883e; fill: #f0883e } .s1 { stroke: #58a6ff; fill: #58a6ff } .s2 { stroke: #bc8cff; fill: #bc8cff }
}
</style>
<text x="${margin.left}" y="20" font-size="14" font-weight="600">${escape(title)}</text>
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
      const positions = points.map((point) => `${x(point.x)} ${y(point.y)}`);
      const dots = points.map((point) => `<circle cx="${x(point.x)}" cy="${y(point.y)}" r="3"/>`);
      return `<g class="s${index}"><path d="M${positions.join(" L")}"/>${points.length > maxDots ? "" : dots.join("")}</g>`;
    }),
  ].join("\n");
}

/** From 0 to at least `max`, in steps of 1, 2 or 5 times a power of ten. */
function evenMarks(max: number): number[] {
  const power = 10 ** Math.floor(Math.log10(max / minMarks));
  const step = power * ([5, 2].find((times) => max / (power * times) >= minMarks) ?? 1);
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, index) => index * step);
}

/** Powers of ten that include all values. */
function decades(values: number[]): number[] {
  const lowest = Math.floor(Math.log10(Math.min(...values)));
  const highest = Math.ceil(Math.log10(Math.max(...values)));
  return Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index));
}

/** Maps `min` to `from` and `max` to `to`. */
type Scale = (min: number, max: number, from: number, to: number) => (value: number) => number;

const linear: Scale = (min, max, from, to) => (value) =>
  Number((from + ((to - from) * (value - min)) / (max - min)).toFixed(1));

const logarithmic: Scale = (min, max, from, to) => {
  const position = linear(Math.log10(min), Math.log10(max), from, to);
  return (value) => position(Math.log10(value));
};

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
