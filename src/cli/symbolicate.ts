import { Command, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { moduleOutcomes, type ModuleOutcome } from "../../web/static/captures/answer.js";
import { readInput } from "./input.ts";
import { interruptible } from "./interruption.ts";
import { print, writeOutput, type Pieces } from "./output.ts";
import { megabytes, Progress } from "./progress.ts";
import {
  cacheOption,
  readSettings,
  symbolsOption,
  type Environment,
  type SettingOptions,
} from "./settings.ts";
import type { Answerer } from "./symbolicate/answerer.ts";
import { askForAll, type ModuleProgress } from "./symbolicate/askForAll.ts";
import { startBuiltInEngine } from "./symbolicate/builtInEngine.ts";
import { readDocument, type Document } from "./symbolicate/document.ts";
import { writeBackOf } from "./symbolicate/writeBack.ts";
import { serviceAt } from "./symbolicate/serviceAt.ts";
import {
  captureText,
  choose,
  modulesLine,
  modulesText,
  resultsText,
  type Choice,
} from "./symbolicate/text.ts";
import { checkV5Answer } from "./symbolicate/v5Answer.ts";

export function symbolicateCommand(env: Environment) {
  return new Command("symbolicate")
    .summary("show the stacks of a profile, a crash or a request with symbols")
    .description(
      `Symbolicates a file, gzipped or not, and prints its stacks, or writes it again with symbols in it. It may be
- a profile of Firefox, as the Firefox profiler or as Gecko writes it
- a crash ping, or the stack traces of one
- a processed crash of crash-stats, or the JSON that minidump-stackwalk prints
- a request of the API, v5 or v4`,
    )
    .argument("[file]", "the file (default: standard input)")
    .option("-u, --url <address>", "ask the service there (default: look symbols up here)")
    .addOption(symbolsOption())
    .addOption(cacheOption())
    .option("--json", "print JSON: the file with symbols in it, or the answer to the request")
    .option("-o, --output <file>", "write that JSON to a file, gzipped where its name ends in .gz")
    .addOption(
      new Option("-t, --threads <which>", "which threads of a crash to print")
        .choices(["crashed", "all"] as const)
        .default("crashed" as const),
    )
    .option("-n, --stacks <number>", "how many stacks to print of each thread of a profile", parseCount, 5)
    .addHelpText(
      "after",
      `
Examples:
  $ tseliot symbolicate profile.json.gz
  $ tseliot symbolicate profile.json.gz --output symbolicated.json.gz
  $ tseliot symbolicate ping.json --url https://symbolication.services.mozilla.com
  $ minidump-stackwalk --json crash.dmp | tseliot symbolicate --symbols ./symbols
  $ tseliot symbolicate request.json --json | jq '.results[].stacks[][].function'`,
    )
    .action(async (file, options) => {
      await interruptible(async (signal) => {
        const { name, bytes } = await readInput(file, signal);
        const document = readDocument(name, bytes);
        const { output } = options;
        const wantsJson = options.json === true || output !== undefined;
        const { pieces, outcomes } = await withAnswerer(env, options, signal, (answerer, progress) =>
          wantsJson ? json(document, answerer, progress) : text(document, options, answerer, progress),
        );
        if (output === undefined) await print(pieces);
        else await writeOutput(output, pieces, signal);
        if (wantsJson) process.stderr.write(`${modulesLine(outcomes)}\n`);
      });
    });
}

function parseCount(value: string): number {
  if (/^[0-9]{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It is no whole number.");
}

interface Rendered {
  pieces: Pieces;
  outcomes: ModuleOutcome[];
}

/** Shows progress while `work` asks. */
async function withAnswerer<T>(
  env: Environment,
  options: SettingOptions & { url?: string | undefined },
  signal: AbortSignal,
  work: (answerer: Answerer, progress: ModuleProgress) => Promise<T>,
): Promise<T> {
  using shown = new Progress();
  let modules = "";
  let bytes = 0;
  const show = () => shown.show(() => `${modules}${megabytes(bytes)} of sym files`);
  const received = (length: number) => {
    bytes += length;
    show();
  };
  await using answerer =
    options.url === undefined
      ? await startBuiltInEngine(readSettings(env, options), received, signal)
      : serviceAt(options.url, signal);
  const result = await work(answerer, (done, of) => {
    modules = `${done} of ${of} modules, `;
    show();
  });
  signal.throwIfAborted();
  return result;
}

/** The file with symbols in it, or the answer to a request. */
async function json(document: Document, answerer: Answerer, progress: ModuleProgress): Promise<Rendered> {
  if (document.kind === "request") {
    const { version, body } = document;
    const answer = await answerer.answer(version, body);
    if (version === "v4") return { pieces: jsonPieces(answer), outcomes: [] };
    const checked = checkV5Answer(answer);
    const { debug: _, ...plain } = checked;
    return { pieces: jsonPieces(plain), outcomes: moduleOutcomes(checked) };
  }
  const { wanted, withSymbols } = writeBackOf(document.file, document.capture);
  const { frameOf, outcomes } = await askForAll(wanted, answerer, progress);
  return { pieces: jsonPieces(withSymbols(frameOf)), outcomes };
}

/** The stacks as a person reads them. */
async function text(
  document: Document,
  choice: Choice,
  answerer: Answerer,
  progress: ModuleProgress,
): Promise<Rendered> {
  if (document.kind === "request") {
    const answer = checkV5Answer(await answerer.answer("v5", document.body));
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
