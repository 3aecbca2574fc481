import { moduleOutcomes, type ModuleOutcome } from "../../../web/static/captures/answer.js";
import { readInput } from "../input.ts";
import { interruptible } from "../interruption.ts";
import type { Environment } from "../options.ts";
import { print, writeOutput, type Pieces } from "../output.ts";
import { Progress, sizeText } from "../progress.ts";
import { readSettings, type SettingOptions } from "../settings.ts";
import type { Answerer } from "./answerer.ts";
import { askForAll, type ModuleProgress } from "./askForAll.ts";
import { startBuiltInEngine } from "./builtInEngine.ts";
import { readDocument, type Document } from "./document.ts";
import { serviceAt } from "./serviceAt.ts";
import { captureText, choose, modulesLine, modulesText, resultsText, type Choice } from "./text.ts";
import { writeBackOf } from "./writeBack.ts";

interface Options extends SettingOptions, Choice {
  /** Of a service; undefined: what is built in. */
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
    const { name, bytes } = await readInput(file, signal);
    const document = readDocument(name, bytes);
    const { output } = options;
    const wantsJson = options.json === true || output !== undefined;
    const { pieces, outcomes } = await withAnswerer(env, options, signal, (answerer, progress) =>
      wantsJson ? json(document, answerer, progress) : text(document, options, answerer, progress),
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

/** Shows progress while `work` asks. */
async function withAnswerer<T>(
  env: Environment,
  options: Options,
  signal: AbortSignal,
  work: (answerer: Answerer, progress: ModuleProgress) => Promise<T>,
): Promise<T> {
  using shown = new Progress();
  let modules = "looking symbols up";
  let bytes = 0;
  const show = () => shown.show(() => (bytes > 0 ? `${modules}, ${sizeText(bytes)} of sym files` : modules));
  const received = (length: number) => {
    bytes += length;
    show();
  };
  await using answerer =
    options.url === undefined
      ? await startBuiltInEngine(readSettings(env, options), received, signal)
      : serviceAt(options.url, signal);
  const result = await work(answerer, (done, of) => {
    modules = `${done} of ${of} modules`;
    show();
  });
  signal.throwIfAborted();
  return result;
}

/** The file with symbols in it, or the answer to a request. */
async function json(document: Document, answerer: Answerer, progress: ModuleProgress): Promise<Rendered> {
  if (document.kind === "request") {
    const { version, body } = document;
    if (version === "v4") return { pieces: jsonPieces(await answerer.v4(body)), outcomes: [] };
    const answer = await answerer.v5(body);
    const { debug: _, ...plain } = answer;
    return { pieces: jsonPieces(plain), outcomes: moduleOutcomes(answer) };
  }
  const { wanted, withSymbols } = writeBackOf(document.file, document.capture);
  const { frameOf, outcomes } = await askForAll(wanted, answerer, progress);
  return { pieces: jsonPieces(withSymbols(frameOf, outcomes)), outcomes };
}

/** The stacks as a person reads them. */
async function text(
  document: Document,
  choice: Choice,
  answerer: Answerer,
  progress: ModuleProgress,
): Promise<Rendered> {
  if (document.kind === "request") {
    const answer = await answerer.v5(document.body);
    const outcomes = moduleOutcomes(answer);
    return { pieces: [...resultsText(answer.results), ...modulesText(outcomes)], outcomes };
  }
  const chosen = choose(document.capture, choice);
  const symbolicated = await askForAll(chosen, answerer, progress);
  const { outcomes } = symbolicated;
  return { pieces: [...captureText(chosen, symbolicated), ...modulesText(outcomes)], outcomes };
}

function jsonPieces(value: unknown): Pieces {
  return [JSON.stringify(value), "\n"];
}
