import { element } from "./element.js";
import { count } from "./figures.js";
import { showFrame } from "./showFrame.js";

/** @import { ShownStack, ShownThread } from "./result.js" */

/** How many are shown at first, and more each time. */
const stacksAtOnce = 10;
const framesAtOnce = 200;

/**
 * A thread that can be opened. Its stacks are put on the page when it is open for the first time.
 * @param {ShownThread} thread
 * @returns {{element: HTMLDetailsElement, openStacks: () => ShownStack[]}} the stacks that can be seen
 */
export function showThread(thread) {
  const body = element("div", { class: "stacks" });
  const details = element(
    "details",
    { class: "thread" },
    element(
      "summary",
      {},
      element("h4", {}, thread.name),
      ...(thread.isCrashed ? [element("span", { class: "tag crashed" }, "crashed")] : []),
      element("span", { class: "note" }, thread.note),
    ),
    body,
  );
  let shown = 0;
  const fill = () => {
    if (shown > 0 || !details.open) return;
    showInSteps(body, thread.stacks, stacksAtOnce, "stack", (stack) => {
      shown++;
      return showStack(stack);
    });
  };
  details.addEventListener("toggle", fill);
  details.open = thread.isOpen;
  fill();
  return { element: details, openStacks: () => (details.open ? thread.stacks.slice(0, shown) : []) };
}

/**
 * @param {ShownStack} stack
 * @returns {HTMLElement}
 */
function showStack({ title, frames }) {
  const list = element("ol", { class: "stack", role: "list" });
  const section = element("div", {}, ...(title === undefined ? [] : [element("h5", {}, title)]), list);
  showInSteps(list, frames, framesAtOnce, "frame", showFrame);
  return section;
}

/**
 * Fills a container, and puts a button behind it for what is left.
 * @template Item
 * @param {HTMLElement} container
 * @param {readonly Item[]} items
 * @param {number} atOnce
 * @param {string} noun
 * @param {(item: Item) => HTMLElement} show
 */
function showInSteps(container, items, atOnce, noun, show) {
  let shown = 0;
  const button = element("button", { type: "button", class: "more" });
  const showMore = () => {
    const made = items.slice(shown, shown + atOnce).map(show);
    container.append(...made);
    shown += made.length;
    const left = items.length - shown;
    button.textContent = `Show ${Math.min(left, atOnce)} more of ${count(left, noun)}`;
    if (left === 0) button.remove();
    return made[0];
  };
  showMore();
  if (shown === items.length) return;
  button.addEventListener("click", () => {
    const first = showMore();
    first?.setAttribute("tabindex", "-1");
    first?.focus({ preventScroll: true });
  });
  container.after(button);
}
