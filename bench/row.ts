import { short } from "../src/cli/numberText.ts";
import { median, type Goes } from "./measure.ts";

/** One line of a table: the same thing measured here and elsewhere, round by round. */
export interface Row {
  what: string;
  unit: string;
  here: number[];
  /** Empty where there is nothing to compare with. */
  other: number[];
  /** Whether more is better; otherwise less is. */
  more?: boolean;
}

/** A row of one quantity of two contenders' goes. */
export function row(what: string, unit: string, quantity: string, here: Goes, other: Goes = []): Row {
  const numbers = (goes: Goes) => goes.map((go) => go[quantity] ?? NaN);
  return { what, unit, here: numbers(here), other: numbers(other) };
}

/** A table in Markdown: medians with the least and the most, and how many times better it is here. */
export function table(rows: Row[], otherName: string): string {
  const lines = rows.map(({ what, unit, here, other, more }) => {
    const ratios = here.map((value, round) => {
      const otherValue = other[round] ?? NaN;
      return more ? value / otherValue : otherValue / value;
    });
    const cells = [what, spread(here, unit), other.length > 0 ? spread(other, unit) : ""];
    return `| ${[...cells, other.length > 0 ? `${spread(ratios)} ×` : ""].join(" | ")} |`;
  });
  return [`| | here | ${otherName} | better by |`, "| --- | --- | --- | --- |", ...lines].join("\n");
}

/** `1,410 (1,390–1,500) ms` */
function spread(values: number[], unit = ""): string {
  const known = values.filter((value) => !Number.isNaN(value));
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const range = known.length > 1 ? ` (${short(least)}–${short(most)})` : "";
  return `${short(median(known))}${range} ${unit}`.trim();
}
