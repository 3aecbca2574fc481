import { sourceFile } from "./captures/sourceFile.js";
import { element } from "./element.js";

/**
 * @import { AnsweredFrame } from "./captures/answer.js"
 * @import { Location } from "./captures/capture.js"
 */

/**
 * A frame as an item of its stack, inlined calls above the function that they were inlined into.
 * @param {AnsweredFrame} frame
 * @returns {HTMLLIElement}
 */
export function showFrame(frame) {
  const place = placeOf(frame);
  const scanned = frame.trust === "scan" ? [element("span", {}, "found by scanning the stack")] : [];
  const details = place === "" ? scanned : [element("code", { class: "place" }, place), ...scanned];
  return element(
    "li",
    { value: String(frame.frame) },
    element("span", { class: "number", "aria-hidden": "true" }, String(frame.frame)),
    element(
      "div",
      {},
      ...(frame.inlines ?? []).map((inline) => {
        const call = showCall(inline, element("span", {}, "inlined"));
        call.classList.add("inlined");
        return call;
      }),
      showCall(frame, ...details),
    ),
  );
}

/**
 * @param {Location} location
 * @param {...Node} details
 * @returns {HTMLElement}
 */
function showCall({ function: name, file, line }, ...details) {
  return element(
    "div",
    { class: "call" },
    name === undefined
      ? element("span", { class: "nameless" }, "no symbol")
      : element("code", { class: "function" }, name),
    element("span", { class: "where" }, ...(file === undefined ? [] : source(file, line)), ...details),
  );
}

/**
 * @param {string} file
 * @param {number} [line]
 * @returns {Node[]}
 */
function source(file, line) {
  const { path, links } = sourceFile(file, line);
  const text = line === undefined ? path : `${path}:${line}`;
  const [first, ...others] = links;
  if (!first) return [element("span", {}, text)];
  return [
    element("a", { href: first.url, title: `On ${first.site}` }, text),
    ...others.map(({ site, url }) => element("a", { href: url, "aria-label": `${text} on ${site}` }, site)),
  ];
}

/**
 * `xul.dll + 0x1b2c`, or an address alone, or nothing.
 * @param {AnsweredFrame} frame
 * @returns {string}
 */
function placeOf({ module, module_offset: offset }) {
  if (module !== "<unknown>") return `${module} + ${offset}`;
  return offset === "-0x1" ? "" : offset;
}
