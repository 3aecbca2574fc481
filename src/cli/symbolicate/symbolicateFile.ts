import { jsonText } from "../../captures/jsonText.ts";
import { moduleOutcomes, type ModuleOutcome } from "../../captures/response.ts";
import { writeBackOf } from "../../captures/writeBack.ts";
import { openInput, type Input } from "../input.ts";
import { interruptible } from "../interruption.ts";
import type { Environment } from "../../config/readConfig.ts";
import { print, writeOutput } from "../output.ts";
import { Progress, sizeText } from "../progress.ts";
import { readSettings, type SettingOptions } from "../settings.ts";
import { symbolicateBy, type Api, type ModuleProgress } from "./api.ts";
import { explained, readDocument, type Document } from "./document.ts";
import { startLocalApi } from "./localApi.ts";
import { connectApi } from "./remoteApi.ts";
import {
  captureText,
  choose,
  modulesLine,
  modulesText,
  resultsText,
  type Choice,
} from "../../captures/captureText.ts";

const minBufferBytes = 1024 * 1024;

interface Options extends SettingOptions, Choice {
  /** Of a service; undefined: symbolicate in this process. */
  url?: string | undefined;
  json?: true | undefined;
  output?: string | undefined;
}

/** `file`: undefined or `-` is standard input. */
export async function symbolicateFile(
  file: string | undefined,
  env: Environment,
  options: Options,
): Promise<void> {
  await interruptible(async (signal) => {
    const input = await openInput(file, signal);
    const document = readDocument(input.name, await readAll(input));
    const { output } = options;
    const wantsJson = options.json === true || output !== undefined;
    try {
      const { pieces, outcomes } = await withApi(env, options, signal, (api, progress) =>
        wantsJson ? json(document, api, progress) : text(document, options, api, progress),
      );
      if (output === undefined || output === "-") await print(pieces);
      else await writeOutput(output, withProgress(pieces), signal);
      if (wantsJson && outcomes.length > 0) process.stderr.write(`${modulesLine(outcomes)}\n`);
    } catch (error) {
      throw explained(input.name, error);
    }
  });
}

/** Reads a whole file, with progress. */
async function readAll(input: Input): Promise<Buffer> {
  using progress = new Progress();
  const total = input.bytes === undefined ? "" : ` of ${sizeText(input.bytes)}`;
  // In a list of pieces, a large file would be in memory twice when they are joined.
  let all = Buffer.allocUnsafeSlow(input.bytes ?? minBufferBytes);
  let bytes = 0;
  for await (const piece of input.pieces) {
    if (bytes + piece.length > all.length) {
      const larger = Buffer.allocUnsafeSlow(2 * all.length + piece.length);
      all.copy(larger, 0, 0, bytes);
      all = larger;
    }
    all.set(piece, bytes);
    bytes += piece.length;
    progress.show(() => `read ${sizeText(input.bytesRead)}${total}`);
  }
  return all.subarray(0, bytes);
}

function* withProgress(pieces: Iterable<string | Uint8Array>): Generator<string | Uint8Array> {
  using progress = new Progress();
  let bytes = 0;
  for (const piece of pieces) {
    bytes += piece.length;
    progress.show(() => `wrote ${sizeText(bytes)}`);
    yield piece;
  }
}

interface Rendered {
  pieces: Iterable<string | Uint8Array>;
  outcomes: ModuleOutcome[];
}

/** Shows the progress of `work`. */
async function withApi<T>(
  env: Environment,
  options: Options,
  signal: AbortSignal,
  work: (api: Api, progress: ModuleProgress) => Promise<T>,
): Promise<T> {
  using shown = new Progress();
  let modules = "looking up symbols";
  let bytes = 0;
  const show = () => shown.show(() => (bytes > 0 ? `${modules}, ${sizeText(bytes)} of sym files` : modules));
  const received = (length: number) => {
    bytes += length;
    show();
  };
  await using api =
    options.url === undefined
      ? await startLocalApi(readSettings(env, options), received, signal)
      : connectApi(options.url, signal);
  const result = await work(api, (done, of) => {
    modules = `${done} of ${of} modules`;
    show();
  });
  signal.throwIfAborted();
  return result;
}

/** The file with symbols in it, or the response to a request. */
async function json(document: Document, api: Api, progress: ModuleProgress): Promise<Rendered> {
  if (document.kind === "request") {
    const { version, body } = document;
    if (version === "v4") return { pieces: jsonLine(await api.v4(body)), outcomes: [] };
    const response = await api.v5(body);
    const { debug: _, ...withoutDebug } = response;
    return { pieces: jsonLine(withoutDebug), outcomes: moduleOutcomes(response) };
  }
  const { wanted, addSymbols } = writeBackOf(document.file, document.capture);
  const symbolicated = await symbolicateBy(api, wanted, progress);
  return { pieces: jsonLine(addSymbols(symbolicated)), outcomes: symbolicated.outcomes };
}

/** The stacks as text. */
async function text(
  document: Document,
  choice: Choice,
  api: Api,
  progress: ModuleProgress,
): Promise<Rendered> {
  if (document.kind === "request") {
    const response = await api.v5(document.body);
    const outcomes = moduleOutcomes(response);
    return { pieces: [...resultsText(response.results), ...modulesText(outcomes)], outcomes };
  }
  const chosen = choose(document.capture, choice);
  const symbolicated = await symbolicateBy(api, chosen, progress);
  const { outcomes } = symbolicated;
  return { pieces: [...captureText(chosen, symbolicated), ...modulesText(outcomes)], outcomes };
}

function* jsonLine(value: unknown): Generator<string | Uint8Array> {
  yield* jsonText(value);
  yield "\n";
}
