import { stackText } from "./captures/stackText.js";
import { element } from "./element.js";

/**
 * @import { Result, ShownStack } from "./result.js"
 *
 * @typedef {{name: string, stacks: ShownStack[]}} OpenThread
 */

/** Milliseconds that a button says that it has copied. */
const confirmation = 2000;

/**
 * Buttons that copy a result as text, as JSON and as what asks for it.
 * @param {Result} result
 * @param {() => OpenThread[]} openThreads
 * @returns {HTMLElement}
 */
export function copyButtons(result, openThreads) {
  const said = element("span", { class: "said", role: "status" });
  const stacks = () => openThreads().flatMap((thread) => thread.stacks);
  return element(
    "div",
    { class: "copy", role: "group", "aria-label": result.copied },
    element("span", { class: "label", "aria-hidden": "true" }, result.copied),
    copyButton("Text", () => text(openThreads()), said),
    copyButton("JSON", () => JSON.stringify(result.answer(stacks()), undefined, 1), said),
    copyButton("curl", () => curl(result.request(stacks())), said),
    said,
  );
}

/**
 * @param {string} label
 * @param {() => string} make
 * @param {HTMLElement} said
 * @returns {HTMLElement}
 */
function copyButton(label, make, said) {
  const button = element("button", { type: "button" }, label);
  button.addEventListener("click", async () => {
    said.textContent = (await copy(make())) ? `Copied as ${label}` : "The browser doesn’t allow copying";
    setTimeout(() => (said.textContent = ""), confirmation);
  });
  return button;
}

/**
 * @param {string} copied
 * @returns {Promise<boolean>} whether the browser allowed it
 */
async function copy(copied) {
  try {
    await navigator.clipboard.writeText(copied);
    return true;
  } catch (error) {
    if (error instanceof DOMException) return false;
    // Without https there is no navigator.clipboard.
    if (!(error instanceof TypeError)) throw error;
    return copySelected(copied);
  }
}

/**
 * @param {string} copied
 * @returns {boolean}
 */
function copySelected(copied) {
  const area = element("textarea", { class: "copied" });
  area.value = copied;
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

/**
 * @param {OpenThread[]} threads
 * @returns {string}
 */
function text(threads) {
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
 * The body is read from the command's input: as an argument it could be too long, and would need its quotes escaped. JSON has
 * no line of `EOF`.
 * @param {string} body
 * @returns {string}
 */
function curl(body) {
  return `curl ${location.origin}/symbolicate/v5 --data-binary @- <<'EOF'\n${body.trim()}\nEOF\n`;
}
