/** The input is not a readable profile or crash. The message tells a person what is wrong with it. */
export class UnreadableCapture extends Error {
  override name = "UnreadableCapture";
}

/** Runs a reader, which expects a complete file, and turns its runtime errors into an UnreadableCapture. */
export function readWhole<Value>(format: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError))
      throw error;
    throw new UnreadableCapture(`This ${format} is incomplete or damaged: ${error.message}.`, {
      cause: error,
    });
  }
}

/** Throws it for a SyntaxError of JSON.parse(). */
export function notJson(error: SyntaxError): UnreadableCapture {
  // The message may quote the first lines of the file.
  const why = error.message.replaceAll(/\s+/g, " ");
  return new UnreadableCapture(`This is not JSON: ${why}.`, { cause: error });
}
