#!/usr/bin/env node
import { CommanderError } from "@commander-js/extra-typings";
import { CommandError, exitCodes, systemCode } from "./commandError.ts";
import { Interrupted } from "./interruption.ts";
import { ReaderLeft } from "./output.ts";
import { createProgram } from "./program.ts";

// Help and progress may be written when nobody reads any more.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
try {
  await createProgram(process.env).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Says what went wrong, unless that was said. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof ReaderLeft) return exitCodes.fine;
  if (error instanceof CommandError) {
    console.error(`tseliot: ${error.message}`);
    return error.exitCode;
  }
  console.error(systemCode(error) === undefined ? error : `tseliot: ${String(error)}`);
  return exitCodes.failed;
}
