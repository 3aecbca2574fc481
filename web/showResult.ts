import { copyButtons } from "./copyButtons.js";
import { byId, element } from "./element.js";
import { count, duration } from "./figures.js";
import { modulesFound, showModules } from "./showModules.js";
import { showThread } from "./showThread.js";

/** @import { Result } from "./result.js" */

/**
 * Shows a result in place of the one before, and takes the reader there.
 * @param {Result} result
 * @param {number} milliseconds that it took
 */
export function showResult(result, milliseconds) {
  const section = byId("result", HTMLElement);
  const threads = result.threads.map(showThread);
  const heading = element("h2", { id: "result-heading", tabindex: "-1" }, result.heading);
  section.replaceChildren(
    element(
      "div",
      { class: "summary" },
      heading,
      ...(result.source === undefined ? [] : [element("p", { class: "source" }, result.source)]),
      ...(result.reason === undefined ? [] : [element("p", { class: "reason" }, result.reason)]),
      element(
        "p",
        {},
        `${count(threads.length, result.parts)}, `,
        element("a", { href: "#modules-heading" }, modulesFound(result.outcomes)),
        `, ${duration(milliseconds / 1000)}`,
      ),
      copyButtons(result, () =>
        threads.map(({ openStacks }, number) => ({
          name: result.threads[number]?.name ?? "",
          stacks: openStacks(),
        })),
      ),
    ),
    element(
      "div",
      { class: "answer" },
      element("div", {}, element("h3", {}, "Stacks"), ...threads.map(({ element: thread }) => thread)),
      element(
        "div",
        {},
        element("h3", { id: "modules-heading", tabindex: "-1" }, "Modules"),
        showModules(result.outcomes),
      ),
    ),
  );
  section.hidden = false;
  heading.focus({ preventScroll: true });
  section.scrollIntoView({ block: "start" });
}
