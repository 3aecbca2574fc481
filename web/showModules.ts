import { verdict } from "./captures/answer.js";
import { element } from "./element.js";
import { duration, size } from "./figures.js";

/** @import { ModuleOutcome } from "./captures/answer.js" */

const order = ["failed", "not found", "found", "unused"];
const marks = { failed: "!", "not found": "✕", found: "✓", unused: "–" };

/**
 * Modules with what became of them, those with a fault first.
 * @param {ModuleOutcome[]} outcomes
 * @returns {HTMLElement}
 */
export function showModules(outcomes) {
  const sorted = outcomes.toSorted(
    (a, b) =>
      order.indexOf(verdict(a)) - order.indexOf(verdict(b)) || a.debugFilename.localeCompare(b.debugFilename),
  );
  return element("ul", { class: "modules", role: "list" }, ...sorted.map(showModule));
}

/**
 * `3 of 5 modules found`, of those that a frame points into
 * @param {ModuleOutcome[]} outcomes
 * @returns {string}
 */
export function modulesFound(outcomes) {
  const used = outcomes.filter((outcome) => verdict(outcome) !== "unused");
  const found = used.filter((outcome) => verdict(outcome) === "found");
  return `${found.length} of ${used.length} module${used.length === 1 ? "" : "s"} found`;
}

/**
 * @param {ModuleOutcome} outcome
 * @returns {HTMLElement}
 */
function showModule(outcome) {
  const what = verdict(outcome);
  return element(
    "li",
    { class: what.replace(" ", "-") },
    element("span", { class: "mark", "aria-hidden": "true" }, marks[what]),
    element(
      "div",
      {},
      element("strong", {}, outcome.debugFilename || "(no name)"),
      element("span", { class: "verdict" }, what),
      element("code", {}, outcome.debugId || "no debug id"),
      element("p", {}, explanation(outcome)),
    ),
  );
}

/**
 * @param {ModuleOutcome} outcome
 * @returns {string}
 */
function explanation({ status, reason = "", downloadBytes = 0, downloadSeconds = 0, conversionSeconds = 0 }) {
  switch (status) {
    case "cached":
      return "It was in the cache.";
    case "converted":
      return `Downloaded ${size(downloadBytes)} in ${duration(downloadSeconds)}, converted in ${duration(conversionSeconds)}.`;
    case "unused":
      return "No frame points into it.";
    case "not_found":
    case "failed":
      return sentence(reason);
    default:
      return sentence(`${status.replaceAll("_", " ")}: ${reason}`);
  }
}

/**
 * @param {string} words
 * @returns {string}
 */
function sentence(words) {
  return `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, "")}.`;
}
