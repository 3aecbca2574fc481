/** The converter looks for the MODULE record in the first bytes of a sym file. */
const maxRecordBytes = 320;

/**
 * Puts a code id in place of the debug id in a sym file's MODULE record, since the converter rejects a file with another id
 * than the one that was asked for.
 */
export async function* withCodeId(
  chunks: AsyncIterable<Uint8Array>,
  codeId: string,
): AsyncIterable<Uint8Array> {
  let start: Uint8Array | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (!start) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < maxRecordBytes && !start.includes("\n".charCodeAt(0))) continue;
    yield replaceDebugId(start, codeId);
    start = undefined;
  }
  if (start) yield replaceDebugId(start, codeId);
}

function replaceDebugId(start: Uint8Array, codeId: string): Uint8Array {
  const text = Buffer.from(start).toString("latin1", 0, maxRecordBytes);
  const [record, beforeId = ""] = /^(MODULE \S+ \S+ )[0-9A-Fa-f]+(?= )/.exec(text) ?? [];
  return record === undefined
    ? start
    : Buffer.concat([Buffer.from(beforeId + codeId), start.subarray(record.length)]);
}
