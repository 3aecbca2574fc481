import { buffer } from "node:stream/consumers";
import { moduleOutcomes, type ModuleOutcome } from "../../captures/response.ts";
import { writeBackOf } from "../../captures/writeBack.ts";
import { openInput } from "../input.ts";
import { interruptible } from "../interruption.ts";
import type { Environment } from "../../config/readConfig.ts";
import { print, writeOutput, type Pieces } from "../output.ts";
import { Progress, sizeText } from "../progress.ts";
import { readSettings, type SettingOptions } from "../settings.ts";
import { symbolicateBy, type Api, type ModuleProgress } from "./api.ts";
import { readDocument, type Document } from "./document.ts";
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
    const { name, pieces: content } = await openInput(file, signal);
    const document = readDocument(name, await buffer(content));
    const { output } = options;
    const wantsJson = options.json === true || output !== undefined;
    const { pieces, outcomes } = await withApi(env, options, signal, (api, progress) =>
      wantsJson ? json(document, api, progress) : text(document, options, api, progress),
    );
    if (output === undefined || output === "-") await print(pieces);
    else await writeOutput(output, pieces, signal);
    if (wantsJson && outcomes.length > 0) process.stderr.write(`${modulesLine(outcomes)}\n`);
  });
}

interface Rendered {
  pieces: Pieces;
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
    if (version === "v4") return { pieces: jsonPieces(await api.v4(body)), outcomes: [] };
    const response = await api.v5(body);
    const { debug: _, ...withoutDebug } = response;
    return { pieces: jsonPieces(withoutDebug), outcomes: moduleOutcomes(response) };
  }
  const { wanted, addSymbols } = writeBackOf(document.file, document.capture);
  const symbolicated = await symbolicateBy(api, wanted, progress);
  return { pieces: jsonPieces(addSymbols(symbolicated)), outcomes: symbolicated.outcomes };
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

function jsonPieces(value: unknown): Pieces {
  return [JSON.stringify(value), "\n"];
}
