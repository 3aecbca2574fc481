#!/usr/bin/env node
import { CommanderError } from "@commander-js/extra-typings";
import { CommandError, exitCodes, systemCode } from "./commandError.ts";
import { Interrupted } from "./interruption.ts";
import { PipeClosed } from "./output.ts";
import { createProgram } from "./program.ts";

// Help and progress may be written after the reader has closed the pipe.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
try {
  await createProgram(process.env).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Prints the error, unless commander has done that. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof PipeClosed) return exitCodes.fine;
  if (error instanceof CommandError) {
    console.error(`tseliot: ${error.message}`);
    return error.exitCode;
  }
  console.error(systemCode(error) === undefined ? error : `tseliot: ${String(error)}`);
  return exitCodes.failed;
}
