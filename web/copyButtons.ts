import { stackText } from "../src/captures/stackText.ts";
import { element } from "./element.ts";
import type { Result, ShownStack } from "./result.ts";

interface OpenThread {
  name: string;
  stacks: ShownStack[];
}

const confirmationMs = 2000;

/** Buttons that copy a result as text, as JSON, or as the command that requests it. */
export function copyButtons(result: Result, openThreads: () => OpenThread[]): HTMLElement {
  const status = element("span", { class: "copy-status", role: "status" });
  const stacks = () => openThreads().flatMap((thread) => thread.stacks);
  return element(
    "div",
    { class: "copy", role: "group", "aria-label": result.copyLabel },
    element("span", { class: "label", "aria-hidden": "true" }, result.copyLabel),
    copyButton("Text", () => text(openThreads()), status),
    copyButton("JSON", () => JSON.stringify(result.response(stacks()), undefined, 1), status),
    copyButton("curl", () => curl(result.request(stacks())), status),
    status,
  );
}

function copyButton(label: string, render: () => string, status: HTMLElement): HTMLElement {
  const button = element("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    const isCopied = await copy(render());
    status.textContent = isCopied ? `Copied as ${label}` : "The browser doesn’t allow copying";
    setTimeout(() => (status.textContent = ""), confirmationMs);
  });
  return button;
}

/** False if the browser doesn't allow it. */
async function copy(value: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch (error) {
    if (error instanceof DOMException) return false;
    // Without https there is no navigator.clipboard.
    if (!(error instanceof TypeError)) throw error;
    return copyBySelection(value);
  }
}

function copyBySelection(value: string): boolean {
  const area = element("textarea", { class: "offscreen" });
  area.value = value;
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

function text(threads: OpenThread[]): string {
  return threads
    .filter(({ stacks }) => stacks.length > 0)
    .map(({ name, stacks }) =>
      [
        name,
        ...stacks.flatMap(({ title, frames }) => [
          ...(title === undefined ? [] : ["", title]),
          stackText(frames),
        ]),
      ].join("\n"),
    )
    .join("\n\n");
}

/**
 * Passes the body as standard input: an argument could be too long, and would need its quotes escaped. A line of JSON is
 * never `EOF`.
 */
function curl(body: string): string {
  return `curl ${location.origin}/symbolicate/v5 --data-binary @- <<'EOF'\n${body.trim()}\nEOF\n`;
}
