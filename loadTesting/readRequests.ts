import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ApiVersion } from "../src/codec/parseRequest.ts";
import { CommandError, fileError } from "../src/cli/commandError.ts";
import { openInput } from "../src/cli/input.ts";

/** A request for the API, from a file. */
export interface ApiRequest {
  /** `profile.json` or `requests.ndjson:12` */
  name: string;
  version: ApiVersion;
  /** The original JSON, because parsing would round offsets over 2^53. */
  body: string;
}

const requestFile = /\.(json|ndjson|jsonl)(\.gz)?$/;

/** The requests in files and folders, in order, or in standard input without a path. Throws a CommandError. */
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
    if (files.length === 0) throw new CommandError("usage", `${path} has no .json, .ndjson or .jsonl file`);
    return files.map((name) => join(path, name));
  } catch (error) {
    throw fileError(`can't read ${path}`, error);
  }
}

/** If the first line is JSON, each line is a request. Otherwise the whole text is one. */
async function* requestsOf(path: string | undefined, signal: AbortSignal): AsyncIterable<ApiRequest> {
  const { name, pieces } = await openInput(path, signal);
  let last: ApiRequest | undefined;
  let count = 0;
  let lineNumber = 0;
  const wholeText: string[] = [];
  for await (const line of linesOf(name, pieces)) {
    lineNumber++;
    if (wholeText.length > 0) wholeText.push(line);
    else if (line.trim() !== "") {
      const request = parseRequest(`${name}:${lineNumber}`, line);
      if (request instanceof SyntaxError) {
        if (last) throw notJson(`line ${lineNumber} of ${name}`, request);
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
  return new CommandError("usage", `${what} is not JSON: ${error.message.split("\n", 1)[0]}`, {
    cause: error,
  });
}

async function* linesOf(name: string, pieces: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (piece?: Uint8Array) => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch (error) {
      throw new CommandError("usage", `${name} is not JSON: it is not UTF-8`, { cause: error });
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
