import type { Locations } from "../symbolication/frames.ts";

/** The JSON of strings that stand in many frames, each made once. */
export class JsonStrings {
  readonly #rendered = new Map<Locations, string[]>();

  get(locations: Locations, index: number): string {
    let rendered = this.#rendered.get(locations);
    if (!rendered) this.#rendered.set(locations, (rendered = []));
    return (rendered[index] ??= JSON.stringify(locations.strings[index]));
  }
}
