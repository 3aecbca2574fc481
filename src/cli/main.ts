#!/usr/bin/env node
import { CommanderError } from "@commander-js/extra-typings";
import { CommandError, exitCodes, systemCode } from "./commandError.ts";
import { Interrupted } from "./interruption.ts";
import { createProgram } from "./program.ts";

try {
  await createProgram(process.env).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Says what went wrong, unless that was said. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
  if (error instanceof Interrupted) return error.exitCode;
  // Who read what is printed has seen enough.
  if (systemCode(error) === "EPIPE") return exitCodes.fine;
  if (error instanceof CommandError) {
    console.error(`tseliot: ${error.message}`);
    return error.exitCode;
  }
  console.error(error);
  return exitCodes.failed;
}
