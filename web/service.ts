/** @import { Answer } from "./captures/answer.js" */

/** The service refused, or could not be reached. The message says why. */
export class ServiceError extends Error {
  /** @override */
  name = "ServiceError";
}

/**
 * The answer of /symbolicate/v5 to a body, with the Debug report. Throws a ServiceError, or an AbortError.
 * @param {string} body
 * @param {AbortSignal} signal
 * @returns {Promise<Answer>}
 */
export function postV5(body, signal) {
  return ask("/symbolicate/v5", { method: "POST", body, headers: { Debug: "true" }, signal });
}

/**
 * Throws a ServiceError.
 * @template Answer
 * @param {string} path
 * @returns {Promise<Answer>}
 */
export function getJson(path) {
  return ask(path, {});
}

/**
 * @template Answer
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<Answer>}
 */
async function ask(path, options) {
  try {
    const response = await fetch(path, options);
    const answer = await response.json();
    if (response.ok) return answer;
    throw new ServiceError(`The service refused this: ${answer.title}.`);
  } catch (error) {
    if (error instanceof TypeError) throw new ServiceError("The service can’t be reached.", { cause: error });
    if (error instanceof SyntaxError)
      throw new ServiceError("Something other than the service answered.", { cause: error });
    throw error;
  }
}
