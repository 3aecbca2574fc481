import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ApiVersion } from "../../codec/parseRequest.ts";
import { CommandError, fileError } from "../commandError.ts";
import { openInput } from "../input.ts";

/** A request of the API, as it stands in a file. */
export interface ApiRequest {
  /** Where it stands: `profile.json`, `requests.ndjson:12`. */
  name: string;
  version: ApiVersion;
  /** JSON, letter for letter: parsing would round offsets past 2^53. */
  body: string;
}

/** What is looked at in a folder. */
const requestFile = /\.(json|ndjson|jsonl)(\.gz)?$/;

/**
 * The requests of files and folders, in order; of standard input where none is named. The files of a folder come in the order
 * of their names. Throws a CommandError.
 */
export async function* readRequests(paths: string[], signal: AbortSignal): AsyncIterable<ApiRequest> {
  if (paths.length === 0) yield* requestsOf(undefined, signal);
  for (const path of paths)
    for (const file of await filesOf(path)) {
      signal.throwIfAborted();
      yield* requestsOf(file, signal);
    }
}

async function filesOf(path: string): Promise<string[]> {
  if (path === "-") return [path];
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path, { recursive: true });
    const files = names.filter((name) => requestFile.test(name)).toSorted();
    if (files.length === 0) throw new CommandError("usage", `${path} holds no .json, .ndjson or .jsonl file`);
    return files.map((name) => join(path, name));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw fileError(`can't read ${path}`, error);
  }
}

/** Where the first line is JSON each line is a request; otherwise all lines together are one. */
async function* requestsOf(path: string | undefined, signal: AbortSignal): AsyncIterable<ApiRequest> {
  const { name, pieces } = await openInput(path, signal);
  let last: ApiRequest | undefined;
  let count = 0;
  let number = 0;
  const wholeText: string[] = [];
  for await (const line of linesOf(name, pieces)) {
    number++;
    if (wholeText.length > 0) wholeText.push(line);
    else if (line.trim() !== "") {
      const request = parseRequest(`${name}:${number}`, line);
      if (request instanceof SyntaxError) {
        if (last) throw notJson(`line ${number} of ${name}`, request);
        wholeText.push(line);
      } else {
        if (last) yield last;
        last = request;
        count++;
      }
    }
  }
  if (last) yield count === 1 ? { ...last, name } : last;
  if (wholeText.length > 0) {
    const request = parseRequest(name, wholeText.join("\n"));
    if (request instanceof SyntaxError) throw notJson(name, request);
    yield request;
  }
}

function parseRequest(name: string, body: string): ApiRequest | SyntaxError {
  try {
    const request: unknown = JSON.parse(body);
    const isV4 =
      typeof request === "object" && request !== null && "version" in request && request.version === 4;
    return { name, version: isV4 ? "v4" : "v5", body };
  } catch (error) {
    if (error instanceof SyntaxError) return error;
    throw error;
  }
}

function notJson(what: string, error: SyntaxError): CommandError {
  return new CommandError("usage", `${what} is no JSON: ${error.message.split("\n", 1)[0]}`, {
    cause: error,
  });
}

async function* linesOf(name: string, pieces: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (piece?: Uint8Array) => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch (error) {
      throw new CommandError("usage", `${name} is not UTF-8, so no JSON`, { cause: error });
    }
  };
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decode(piece)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest + decode();
}
