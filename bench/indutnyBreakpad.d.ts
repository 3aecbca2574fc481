/** The package has no types of its own. */
declare module "@indutny/breakpad" {
  export function symbolicateFrames(
    symFile: AsyncIterable<Uint8Array>,
    offsets: number[],
  ): Promise<({ name: string; file: string | null; line: number | null } | null)[]>;
}
