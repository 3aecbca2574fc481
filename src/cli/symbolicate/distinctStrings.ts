/** A list of distinct strings that grows as new ones are needed. */
export class DistinctStrings {
  readonly #list: string[];
  readonly #places: Map<string, number>;

  constructor(list: string[]) {
    this.#list = list;
    this.#places = new Map(list.map((text, place) => [text, place]));
  }

  placeOf(text: string): number {
    let place = this.#places.get(text);
    if (place === undefined) this.#places.set(text, (place = this.#list.push(text) - 1));
    return place;
  }
}
