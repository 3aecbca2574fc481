import { short } from "../src/captures/numberText.ts";
import { median, type Runs } from "./measure.ts";

/** One line of a table: the same quantity of tseliot and of what it is compared with, by round. */
export interface Row {
  label: string;
  unit: string;
  tseliot: number[];
  /** Empty if there is nothing to compare with. */
  other: number[];
  higherIsBetter?: boolean;
}

export function row(label: string, unit: string, quantity: string, tseliot: Runs, other: Runs = []): Row {
  const values = (runs: Runs) => runs.map((run) => run[quantity] ?? NaN);
  return { label, unit, tseliot: values(tseliot), other: values(other) };
}

/** A Markdown table with medians, ranges, and the factor by which tseliot is better. */
export function table(rows: Row[], otherName: string): string {
  const lines = rows.map(({ label, unit, tseliot, other, higherIsBetter }) => {
    const ratios = tseliot.map((value, round) => {
      const otherValue = other[round] ?? NaN;
      return higherIsBetter ? value / otherValue : otherValue / value;
    });
    const cells = [label, spread(tseliot, unit), other.length > 0 ? spread(other, unit) : ""];
    return `| ${[...cells, other.length > 0 ? `${spread(ratios)} ×` : ""].join(" | ")} |`;
  });
  return [`| | tseliot | ${otherName} | better by |`, "| --- | --- | --- | --- |", ...lines].join("\n");
}

/** `1,410 (1,390–1,500) ms` */
function spread(values: number[], unit = ""): string {
  const known = values.filter((value) => !Number.isNaN(value));
  const [min, max] = [Math.min(...known), Math.max(...known)];
  const range = known.length > 1 ? ` (${short(min)}–${short(max)})` : "";
  return `${short(median(known))}${range} ${unit}`.trim();
}
