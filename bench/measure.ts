/** The results of one run: `{ milliseconds: 1400, megabytes: 780 }`. */
export type Measured = Record<string, number>;

/** The runs of one contender, by round. */
export type Runs = Measured[];

/** Runs the contenders one after the other in each round, so that other load on the machine affects all of them. */
export async function interleave<Name extends string>(
  rounds: number,
  contenders: Record<Name, () => Promise<Measured>>,
): Promise<Record<Name, Runs>> {
  const names = Object.keys(contenders) as Name[];
  const runs = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Runs>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      report(`${name}, round ${round + 1} of ${rounds}`);
      runs[name].push(await contenders[name]());
    }
  }
  return runs;
}

/** Returns the milliseconds of each of `count` sequential calls. */
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

/** Shows progress on a terminal, in one line that the next call overwrites. */
export function report(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${what}`);
}
