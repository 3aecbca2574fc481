import type { Job } from "../../symbolication/job.ts";

/** Frames as a job has them, filled one after the other. */
export class FrameColumns {
  readonly job: Pick<Job, "moduleIndexes" | "moduleOffsets" | "exactOffsets">;
  readonly trusts: string[] = [];
  readonly trustNumbers: Int32Array<ArrayBuffer>;
  readonly #numbersOfTrusts = new Map<string, number>();
  #length = 0;

  constructor(frames: number) {
    this.job = {
      moduleIndexes: new Int32Array(frames),
      moduleOffsets: new Float64Array(frames),
      exactOffsets: new BigUint64Array(),
    };
    this.trustNumbers = new Int32Array(frames).fill(-1);
  }

  add(moduleIndex: number, moduleOffset: number | bigint, trust: unknown): void {
    const position = this.#length++;
    const { job } = this;
    job.moduleIndexes[position] = moduleIndex;
    job.moduleOffsets[position] = Number(moduleOffset);
    if (typeof moduleOffset === "bigint") {
      if (job.exactOffsets.length === 0) job.exactOffsets = new BigUint64Array(job.moduleIndexes.length);
      job.exactOffsets[position] = moduleOffset;
    }
    if (typeof trust === "string") this.trustNumbers[position] = this.#numberOf(trust);
  }

  #numberOf(trust: string): number {
    let number = this.#numbersOfTrusts.get(trust);
    if (number === undefined) this.#numbersOfTrusts.set(trust, (number = this.trusts.push(trust) - 1));
    return number;
  }
}
