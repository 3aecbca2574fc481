import { byId, element } from "./element.js";
import { count, percent, size } from "./figures.js";
import { getJson, ServiceError } from "./service.js";

/**
 * @typedef {{version?: string, commit?: string}} Version
 * @typedef {{symcaches: number, bytes: number, max_bytes: number, hits: number, misses: number}} Cache
 */

/**
 * Shows what runs here, and how its cache does.
 * @returns {Promise<void>}
 */
export async function showStatus() {
  const status = byId("status", HTMLElement);
  try {
    /** @type {[Version, Cache]} */
    const [{ version, commit }, cache] = await Promise.all([getJson("/__version__"), getJson("/cache")]);
    const lookups = cache.hits + cache.misses;
    status.replaceChildren(
      entry("Version", version || "unknown", commit?.slice(0, 8) ?? ""),
      entry("Cache", `${size(cache.bytes)} of ${size(cache.max_bytes)}`, count(cache.symcaches, "module")),
      entry("Hit rate", lookups === 0 ? "–" : percent(cache.hits, lookups), `of ${count(lookups, "lookup")}`),
    );
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    status.replaceChildren(entry("Status", "unknown", error.message));
  }
}

/**
 * @param {string} term
 * @param {string} value
 * @param {string} detail
 * @returns {HTMLElement}
 */
function entry(term, value, detail) {
  return element("div", {}, element("dt", {}, term), element("dd", {}, value), element("dd", {}, detail));
}
