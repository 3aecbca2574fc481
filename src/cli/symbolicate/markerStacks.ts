interface Marker {
  cause?: { stack?: number | null } | null;
  stack?: { samples?: { schema: Record<string, number>; data: (number | null)[][] } } | null;
}

/** Gives the stacks that a marker's data refers to their new places; `placeOf` gives null for one that is no more. */
export function moveMarkerStacks(data: unknown, placeOf: (stack: number) => number | null): void {
  if (typeof data !== "object" || data === null) return;
  const { cause, stack } = data as Marker;
  if (typeof cause?.stack === "number") cause.stack = placeOf(cause.stack);
  // Some markers have text of that name.
  if (typeof stack !== "object" || !stack?.samples) return;
  const { schema, data: samples } = stack.samples;
  const column = schema["stack"] ?? -1;
  for (const sample of samples) {
    const before = sample[column];
    if (typeof before === "number") sample[column] = placeOf(before);
  }
}
