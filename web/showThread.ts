import { element } from "./element.ts";
import { counted } from "../src/captures/numberText.ts";
import type { ShownStack, ShownThread } from "./result.ts";
import { showFrame } from "./showFrame.ts";

/** How many are shown at first, and how many each click adds. */
const stacksPerStep = 10;
const framesPerStep = 200;

interface ThreadView {
  element: HTMLDetailsElement;
  /** The stacks that are visible now. */
  openStacks: () => ShownStack[];
}

/** A thread that can be opened. Its stacks are rendered when it is first opened. */
export function showThread(thread: ShownThread): ThreadView {
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
  const render = () => {
    if (shown > 0 || !details.open) return;
    showInSteps(body, thread.stacks, stacksPerStep, "stack", (stack) => {
      shown++;
      return showStack(stack);
    });
  };
  details.addEventListener("toggle", render);
  details.open = thread.isOpen;
  render();
  return { element: details, openStacks: () => (details.open ? thread.stacks.slice(0, shown) : []) };
}

function showStack({ title, frames }: ShownStack): HTMLElement {
  const list = element("ol", { class: "stack", role: "list" });
  const section = element("div", {}, ...(title === undefined ? [] : [element("h5", {}, title)]), list);
  showInSteps(list, frames, framesPerStep, "frame", showFrame);
  return section;
}

/** Shows the first items in a container, and a button after it that shows more. */
function showInSteps<Item>(
  container: HTMLElement,
  items: readonly Item[],
  step: number,
  noun: string,
  show: (item: Item) => HTMLElement,
): void {
  let shown = 0;
  const button = element("button", { type: "button", class: "more" });
  const showMore = () => {
    const added = items.slice(shown, shown + step).map(show);
    container.append(...added);
    shown += added.length;
    const left = items.length - shown;
    button.textContent = `Show ${Math.min(left, step)} more of ${counted(left, noun)}`;
    if (left === 0) button.remove();
    return added[0];
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
