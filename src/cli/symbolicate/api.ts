import type { CaptureOfAnySize } from "../../captures/capture.ts";
import type { V5Response } from "../../captures/response.ts";
import { symbolicateCapture, type SymbolicatedCapture } from "../../captures/symbolicateCapture.ts";
import { exitCodes } from "../commandError.ts";

/** The API of a service, or of the engine in this process. Both throw a CommandError. */
export interface Api extends AsyncDisposable {
  /** With a debug report, if the service sends one. */
  v5(body: string): Promise<V5Response>;
  v4(body: string): Promise<unknown>;
}

export type ModuleProgress = (modulesDone: number, modules: number) => void;

/**
 * Symbolicates a capture. A failed request affects only its own modules and sets the exit code; if all fail, throws the first error.
 */
export async function symbolicateBy(
  api: Api,
  capture: CaptureOfAnySize,
  progress: ModuleProgress,
): Promise<SymbolicatedCapture> {
  const failures: unknown[] = [];
  let requests = 0;
  const post = async (body: string): Promise<V5Response> => {
    requests++;
    try {
      return await api.v5(body);
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
