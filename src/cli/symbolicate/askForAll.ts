import type { Answer } from "../../../web/static/captures/answer.js";
import type { Capture } from "../../../web/static/captures/capture.js";
import {
  symbolicateCapture,
  type SymbolicatedCapture,
} from "../../../web/static/captures/symbolicateCapture.js";
import { exitCodes } from "../commandError.ts";
import type { Answerer } from "./answerer.ts";

export type ModuleProgress = (done: number, of: number) => void;

/**
 * Asks for the symbols of a capture, in as many requests as it takes. One that fails costs its own modules, and the command its
 * exit code; where all fail, what the first threw is thrown.
 */
export async function askForAll(
  capture: Capture,
  answerer: Answerer,
  progress: ModuleProgress,
): Promise<SymbolicatedCapture> {
  const failures: unknown[] = [];
  let requests = 0;
  const post = async (body: string): Promise<Answer> => {
    requests++;
    try {
      return await answerer.v5(body);
    } catch (error) {
      failures.push(error);
      throw error;
    }
  };
  const symbolicated = await symbolicateCapture(capture, post, progress);
  if (failures.length > 0) {
    if (failures.length === requests) throw failures[0];
    process.exitCode = exitCodes.failed;
  }
  return symbolicated;
}
