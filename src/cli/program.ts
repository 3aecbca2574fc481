import { readFileSync } from "node:fs";
import { Command } from "@commander-js/extra-typings";
import { compareCommand } from "../../loadTesting/compare.ts";
import { convertCommand } from "./convert.ts";
import { fetchCommand } from "./fetch.ts";
import { inspectCommand } from "./inspect.ts";
import { loadCommand } from "../../loadTesting/load.ts";
import { makeRequestsCommand } from "../../loadTesting/makeRequests.ts";
import type { Environment } from "../config/readConfig.ts";
import { exitCodes } from "./commandError.ts";
import { serveCommand } from "./serve.ts";
import { symbolicateCommand } from "./symbolicate.ts";

/** In the order of the help. */
const commands = [
  serveCommand,
  symbolicateCommand,
  convertCommand,
  inspectCommand,
  fetchCommand,
  compareCommand,
  loadCommand,
  makeRequestsCommand,
];

const exitCodeMeanings: Record<keyof typeof exitCodes, string> = {
  fine: "success",
  no: "negative result: a damaged file, a missing file, or services that differ",
  usage: "invalid command line, or an input file that is unreadable or invalid",
  failed: "network, disk or service failure",
};

/** The command line. Throws a CommanderError instead of ending the process. */
export function createProgram(env: Environment): Command {
  const packageFile = new URL("../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };
  const program = new Command("tseliot")
    .description("Mozilla's symbolication service, and tools for it.")
    .version(version)
    .usage("<command> [options]")
    .addHelpText(
      "after",
      `
Run a command with --help for details. Results go to standard output, progress and errors to standard error.

Exit codes:
${exitCodeLines()}
  130  Ctrl-C; for other signals, 128 plus the signal number`,
    );
  for (const createCommand of commands) program.addCommand(createCommand(env));
  // addCommand() doesn't inherit these settings.
  for (const command of [program, ...program.commands])
    command
      .exitOverride()
      .configureOutput({ outputError: (message, write) => write(oneLine(message)) })
      .showHelpAfterError(false);
  return program;
}

function exitCodeLines(): string {
  const kinds = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  return kinds.map((kind) => `  ${exitCodes[kind]}    ${exitCodeMeanings[kind]}`).join("\n");
}

/** `error: unknown option '--jsn'⏎(Did you mean --json?)⏎` */
function oneLine(message: string): string {
  return `tseliot: ${message
    .replace(/^error: /, "")
    .trim()
    .replaceAll("\n", " ")}\n`;
}
