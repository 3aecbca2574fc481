/** What one go measured, by quantity: `{ milliseconds: 1400, megabytes: 780 }`. */
export type Measured = Record<string, number>;

/** The goes of one contender, in the order of rounds. */
export type Goes = Measured[];

/** Lets contenders go one after the other, round after round, so that a busy machine is busy for all of them. */
export async function inSequence<Name extends string>(
  rounds: number,
  contenders: Record<Name, () => Promise<Measured>>,
): Promise<Record<Name, Goes>> {
  const names = Object.keys(contenders) as Name[];
  const goes = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Goes>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      report(`${name}, round ${round + 1} of ${rounds}`);
      goes[name].push(await contenders[name]());
    }
  }
  return goes;
}

/** Calls `work` so often, one after the other, and gives the milliseconds of each. */
export async function times(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const milliseconds = [];
  for (let turn = 0; turn < count; turn++) milliseconds.push(await time(work));
  return milliseconds;
}

export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(numbers: number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
  return (upper + lower) / 2;
}

/** Tells a person on a terminal what is being done, in one line that the next overwrites. */
export function report(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${what}`);
}
