import { moduleState, type ModuleOutcome, type ModuleState } from "../src/captures/response.ts";
import { element } from "./element.ts";
import { counted } from "../src/captures/numberText.ts";
import { duration, size } from "./figures.ts";

/** Failures first. */
const order: ModuleState[] = ["failed", "not found", "found", "unused"];
const marks: Record<ModuleState, string> = { failed: "!", "not found": "✕", found: "✓", unused: "–" };

export function showModules(outcomes: ModuleOutcome[]): HTMLElement {
  const sorted = outcomes.toSorted(
    (a, b) => rank(a) - rank(b) || a.debugFilename.localeCompare(b.debugFilename),
  );
  return element("ul", { class: "modules", role: "list" }, ...sorted.map(showModule));
}

function rank(outcome: ModuleOutcome): number {
  return order.indexOf(moduleState(outcome));
}

/** `3 of 5 modules found`, not counting unused modules. */
export function modulesFound(outcomes: ModuleOutcome[]): string {
  const states = outcomes.map(moduleState).filter((state) => state !== "unused");
  const found = states.filter((state) => state === "found");
  return `${found.length} of ${counted(states.length, "module")} found`;
}

function showModule(outcome: ModuleOutcome): HTMLElement {
  const state = moduleState(outcome);
  return element(
    "li",
    { class: state.replace(" ", "-") },
    element("span", { class: "mark", "aria-hidden": "true" }, marks[state]),
    element(
      "div",
      {},
      element("strong", {}, outcome.debugFilename || "(no name)"),
      element("span", { class: "state" }, state),
      element("code", {}, outcome.debugId || "no debug id"),
      element("p", {}, explanation(outcome)),
    ),
  );
}

function explanation(outcome: ModuleOutcome): string {
  const { status, reason = "", downloadBytes = 0, downloadSeconds = 0, conversionSeconds = 0 } = outcome;
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

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, "")}.`;
}
