#!/usr/bin/env node
import { CommanderError } from "@commander-js/extra-typings";
import { printable } from "../captures/printable.ts";
import { CommandEnded, CommandError, exitCodes, systemCode } from "./commandError.ts";
import { createProgram } from "./program.ts";

// Help and progress may be written after the reader has closed the pipe.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
try {
  await createProgram(process.env).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Prints the error, unless commander has already done so. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  if (error instanceof CommandEnded) return error.exitCode;
  if (error instanceof CommandError) {
    console.error(`tseliot: ${printable(error.message)}`);
    return error.exitCode;
  }
  console.error(systemCode(error) === undefined ? error : `tseliot: ${printable(String(error))}`);
  return exitCodes.failed;
}
