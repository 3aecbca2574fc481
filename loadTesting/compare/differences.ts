import { isDeepStrictEqual } from "node:util";

/** Part of a response, such as a frame with `function`, `file`, `line` and `inlines`. */
export type Fields = Record<string, unknown>;

export interface Place {
  job?: number;
  stack?: number;
  frame?: number;
  /** Of the frame, or the key in found_modules. */
  module?: string;
  moduleOffset?: string;
}

/** A place where the responses to a request differ. */
export interface Difference extends Place {
  /** Names of the fields that differ, or `missing` if one response has no such frame, stack or result. */
  kinds: string[];
  /** Null if missing. */
  sides: [Fields | null, Fields | null];
}

/** The differences of two v5 responses. The order of keys doesn't matter; an absent field differs from any other value. */
export function* differences(left: unknown, right: unknown): Generator<Difference> {
  if (isDeepStrictEqual(left, right)) return;
  const { results: leftResults, ...leftRest } = fields(left);
  const { results: rightResults, ...rightRest } = fields(right);
  let isFound = false;
  for (const difference of [
    ...differenceAt({}, leftRest, rightRest),
    ...each("job", {}, leftResults, rightResults, resultDifferences, ({ stacks }) => ({
      stacks: list(stacks).length,
    })),
  ]) {
    isFound = true;
    yield difference;
  }
  // At least one is not a v5 response.
  if (!isFound) yield { kinds: ["answer"], sides: [{ answer: left }, { answer: right }] };
}

/** Yields nothing if they are equal. */
export function* differenceAt(place: Place, left: Fields, right: Fields): Generator<Difference> {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  const kinds = [...names].filter((name) => !isDeepStrictEqual(left[name], right[name]));
  if (kinds.length > 0) yield { ...place, kinds, sides: [left, right] };
}

function* resultDifferences(place: Place, left: Fields, right: Fields): Generator<Difference> {
  const { stacks: leftStacks, found_modules: leftFound, ...leftRest } = left;
  const { stacks: rightStacks, found_modules: rightFound, ...rightRest } = right;
  yield* differenceAt(place, leftRest, rightRest);
  const [leftModules, rightModules] = [new Map(entries(leftFound)), new Map(entries(rightFound))];
  for (const module of new Set([...leftModules.keys(), ...rightModules.keys()])) {
    const [found, otherFound] = [leftModules.get(module), rightModules.get(module)];
    yield* differenceAt({ ...place, module }, { found_modules: found }, { found_modules: otherFound });
  }
  yield* each("stack", place, leftStacks, rightStacks, stackDifferences, (stack) => ({
    frames: list(stack).length,
  }));
}

function stackDifferences(place: Place, left: unknown, right: unknown): Generator<Difference> {
  return each("frame", place, left, right, frameDifferences, fields);
}

function* frameDifferences(place: Place, left: Fields, right: Fields): Generator<Difference> {
  yield* differenceAt({ ...place, ...moduleOf(left) }, left, right);
}

/** Compares two lists item by item. `describe` is called with an item that is missing in the other list. */
function* each(
  level: "job" | "stack" | "frame",
  place: Place,
  left: unknown,
  right: unknown,
  compare: (place: Place, left: Fields, right: Fields) => Iterable<Difference>,
  describe: (item: Fields) => Fields,
): Generator<Difference> {
  const [leftItems, rightItems] = [list(left), list(right)];
  for (let index = 0; index < Math.max(leftItems.length, rightItems.length); index++) {
    const here = { ...place, [level]: index };
    const [item, otherItem] = [leftItems[index], rightItems[index]] as [
      Fields | undefined,
      Fields | undefined,
    ];
    if (item !== undefined && otherItem !== undefined) yield* compare(here, item, otherItem);
    else {
      const sides: Difference["sides"] = [
        item ? describe(item) : null,
        otherItem ? describe(otherItem) : null,
      ];
      const module = level === "frame" ? moduleOf(item ?? otherItem) : {};
      yield { ...here, ...module, kinds: ["missing"], sides };
    }
  }
}

function moduleOf(frame: unknown): Place {
  const { module, module_offset: moduleOffset } = fields(frame);
  return { module: String(module), moduleOffset: String(moduleOffset) };
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function entries(value: unknown): [string, unknown][] {
  return Object.entries(fields(value));
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
