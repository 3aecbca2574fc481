import { copyButtons } from "./copyButtons.ts";
import { byId, element } from "./element.ts";
import { counted } from "../src/captures/numberText.ts";
import { duration } from "./figures.ts";
import type { Result } from "./result.ts";
import { modulesFound, showModules } from "./showModules.ts";
import { showThread } from "./showThread.ts";

/** Replaces the previous result, and moves the focus and the view to the new one. */
export function showResult(result: Result, milliseconds: number): void {
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
        `${counted(threads.length, result.noun)}, `,
        element("a", { href: "#modules-heading" }, modulesFound(result.outcomes)),
        `, ${duration(milliseconds / 1000)}`,
      ),
      copyButtons(result, () =>
        threads.map(({ openStacks }, index) => ({
          name: result.threads[index]?.name ?? "",
          stacks: openStacks(),
        })),
      ),
    ),
    element(
      "div",
      { class: "columns" },
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
