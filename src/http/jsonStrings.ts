import type { Locations } from "../symbolication/frames.ts";

/** The JSON of strings that stand in many frames, each made once. */
export class JsonStrings {
  readonly #ofStrings = new Map<string, string>();
  readonly #ofLocations = new Map<Locations, string[]>();
  #latest: [locations: Locations, rendered: string[]] | undefined;

  /** The JSON of a string. */
  of(string: string): string {
    let json = this.#ofStrings.get(string);
    if (json === undefined) this.#ofStrings.set(string, (json = JSON.stringify(string)));
    return json;
  }

  /** The JSON of the string at a position in `locations.strings`. */
  at(locations: Locations, index: number): string {
    // Frames of one module tend to follow each other.
    if (this.#latest?.[0] !== locations) this.#latest = [locations, this.#rendered(locations)];
    return (this.#latest[1][index] ??= JSON.stringify(locations.strings[index]));
  }

  #rendered(locations: Locations): string[] {
    const rendered = this.#ofLocations.get(locations) ?? [];
    this.#ofLocations.set(locations, rendered);
    return rendered;
  }
}
