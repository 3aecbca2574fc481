import type { Location } from "./capture.ts";

/** A frame of a response. */
export interface SymbolicatedFrame extends Location {
  frame: number;
  /** `<unknown>` without a module. */
  module: string;
  /** Hex. */
  module_offset: string;
  function_offset?: string;
  /** Innermost first. */
  inlines?: Location[];
  /** Added by readers of crashes, not by the service: how the stack walker found the frame. */
  trust?: string;
}

export interface Result {
  stacks: SymbolicatedFrame[][];
  found_modules: Record<string, boolean | null>;
}

/** The response of `POST /symbolicate/v5`. */
export interface V5Response {
  results: Result[];
  /** With the request header Debug. Keys are `debugFilename/debugId`, times in seconds. */
  debug?: {
    modules: { status_per_module: Record<string, { status: string; reason?: string }> };
    downloads: { size_per_module: Record<string, number>; time_per_module: Record<string, number> };
    parse_sym: { time_per_module: Record<string, number> };
  };
}

/** Whether symbols of a module were found, and how. */
export interface ModuleOutcome {
  debugFilename: string;
  debugId: string;
  /** A status of the Debug report, or `unused` if no frame points into the module. */
  status: string;
  reason?: string;
  downloadBytes?: number;
  downloadSeconds?: number;
  conversionSeconds?: number;
}

/** The outcome of each distinct module of a response. */
export function moduleOutcomes({ results, debug }: V5Response): ModuleOutcome[] {
  const found = new Map(results.flatMap(({ found_modules: modules }) => Object.entries(modules)));
  return [...found].map(([key, isFound]) => {
    const slash = key.indexOf("/");
    const known = ownValue(debug?.modules.status_per_module, key);
    const downloadBytes = ownValue(debug?.downloads.size_per_module, key);
    const downloadSeconds = ownValue(debug?.downloads.time_per_module, key);
    const conversionSeconds = ownValue(debug?.parse_sym.time_per_module, key);
    return {
      debugFilename: key.slice(0, slash),
      debugId: key.slice(slash + 1),
      status: known?.status ?? (isFound === null ? "unused" : isFound ? "cached" : "not_found"),
      ...(known?.reason !== undefined && { reason: known.reason }),
      ...(downloadBytes !== undefined && { downloadBytes }),
      ...(downloadSeconds !== undefined && { downloadSeconds }),
      ...(conversionSeconds !== undefined && { conversionSeconds }),
    };
  });
}

export type ModuleState = "found" | "not found" | "failed" | "unused";

export function moduleState({ status }: Pick<ModuleOutcome, "status">): ModuleState {
  if (status === "cached" || status === "converted") return "found";
  if (status === "unused") return status;
  return status === "not_found" ? "not found" : "failed";
}

/** Modules may be called `constructor`. */
function ownValue<Value>(record: Record<string, Value> | undefined, key: string): Value | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}
