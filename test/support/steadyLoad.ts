import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

/** Milliseconds that requests took. */
export interface Taken {
  answered: number[];
  /** Those answered with 503 and Retry-After. */
  refused: number[];
}

/**
 * Clients that post a body on and on until `isOver`, each the next when it has the answer, or a while after it was refused.
 * All answers must be the same, but for those of refusals.
 */
export async function steadyLoad(
  url: string,
  body: string,
  clients: number,
  isOver: (taken: Taken) => boolean,
): Promise<Taken> {
  const taken: Taken = { answered: [], refused: [] };
  let expected: string | undefined;
  const client = async () => {
    while (!isOver(taken)) {
      const start = performance.now();
      const response = await fetch(`${url}/symbolicate/v5`, { method: "POST", body });
      const answer = await response.text();
      const milliseconds = performance.now() - start;
      if (response.status === 503) {
        assert.match(response.headers.get("retry-after") ?? "", /^[1-9][0-9]*$/);
        taken.refused.push(milliseconds);
        await setTimeout(50);
      } else {
        assert.equal(response.status, 200);
        expected ??= answer;
        assert.ok(answer === expected);
        taken.answered.push(milliseconds);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return taken;
}

/** What all but a part of numbers are no larger than, `0.01` for p99: `3.2`. */
export function percentile(numbers: number[], above: number): number {
  const sorted = numbers.toSorted((a, b) => b - a);
  return Number((sorted[Math.floor(sorted.length * above)] ?? NaN).toFixed(1));
}
