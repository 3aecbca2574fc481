/**
 * What `POST /symbolicate/v5` answers.
 *
 * @import { Location } from "./capture.js"
 *
 * @typedef {object} FramePlace
 * @property {number} frame
 * @property {string} module `<unknown>` where there is none
 * @property {string} module_offset in hex
 * @property {string} [function_offset]
 * @property {Location[]} [inlines] innermost first
 * @property {string} [trust] not of the service: how a crash's stack walker came by the frame
 *
 * @typedef {Location & FramePlace} AnsweredFrame
 *
 * @typedef {object} Result
 * @property {AnsweredFrame[][]} stacks
 * @property {Record<string, boolean | null>} found_modules
 *
 * With the request header Debug. Keys are `debugFilename/debugId`; times are in seconds.
 * @typedef {object} Debug
 * @property {{status_per_module: Record<string, {status: string, reason?: string}>}} modules
 * @property {{size_per_module: Record<string, number>, time_per_module: Record<string, number>}} downloads
 * @property {{time_per_module: Record<string, number>}} parse_sym
 *
 * @typedef {object} Answer
 * @property {Result[]} results
 * @property {Debug} [debug]
 *
 * What became of a module.
 * @typedef {object} ModuleOutcome
 * @property {string} debugFilename
 * @property {string} debugId
 * @property {string} status as the service's Debug report has it, or `unused` where no frame points into it
 * @property {string} [reason]
 * @property {number} [downloadBytes]
 * @property {number} [downloadSeconds]
 * @property {number} [conversionSeconds]
 */

/**
 * What became of the modules of an answer, each once.
 * @param {Answer} answer
 * @returns {ModuleOutcome[]}
 */
export function moduleOutcomes({ results, debug }) {
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
      ...(known?.reason === undefined ? {} : { reason: known.reason }),
      ...(downloadBytes === undefined ? {} : { downloadBytes }),
      ...(downloadSeconds === undefined ? {} : { downloadSeconds }),
      ...(conversionSeconds === undefined ? {} : { conversionSeconds }),
    };
  });
}

/**
 * @param {{status: string}} outcome
 * @returns {"found" | "not found" | "failed" | "unused"}
 */
export function verdict({ status }) {
  if (status === "cached" || status === "converted") return "found";
  if (status === "unused") return status;
  return status === "not_found" ? "not found" : "failed";
}

/**
 * Modules may be called `constructor`.
 * @template Value
 * @param {Record<string, Value> | undefined} record
 * @param {string} key
 * @returns {Value | undefined}
 */
function ownValue(record, key) {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}
