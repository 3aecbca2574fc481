import type { CircuitBreaker } from "../async/circuitBreaker.ts";
import type { Logger } from "../observability/logging.ts";

/** The shared cache failed. The caller continues as if there were no shared cache. */
export class SharedCacheFault extends Error {
  override name = "SharedCacheFault";

  /** Adds the cause to the message. */
  constructor(message: string, cause?: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(cause === undefined ? message : `${message}: ${reason}`, { cause });
  }
}

/** The store works, but the object is not a valid symcache of the module. */
export class BadObject extends SharedCacheFault {}

/** Tells the circuit breaker how a call ended. Only a fault of the store itself counts, and is logged unless it repeats. */
export function endCall(
  breaker: CircuitBreaker,
  error: unknown,
  operation: "read" | "write",
  log: Logger,
): void {
  const isFault = error instanceof SharedCacheFault && !(error instanceof BadObject);
  if (isFault && error.message !== breaker.fault)
    log.warn({ err: error }, `shared cache ${operation} failed`);
  breaker.ended(isFault ? error.message : undefined);
}
