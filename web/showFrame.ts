import type { Location } from "../src/captures/capture.ts";
import type { SymbolicatedFrame } from "../src/captures/response.ts";
import { sourceFile } from "../src/captures/sourceFile.ts";
import { element } from "./element.ts";

/** A frame as a list item, with inlined calls above the function that they were inlined into. */
export function showFrame(frame: SymbolicatedFrame): HTMLLIElement {
  const address = addressOf(frame);
  const scanned = frame.trust === "scan" ? [element("span", {}, "found by scanning the stack")] : [];
  const details = address === "" ? scanned : [element("code", { class: "address" }, address), ...scanned];
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

function showCall({ function: name, file, line }: Location, ...details: Node[]): HTMLElement {
  return element(
    "div",
    { class: "call" },
    name === undefined
      ? element("span", { class: "nameless" }, "no symbol")
      : element("code", { class: "function" }, name),
    element("span", { class: "where" }, ...(file === undefined ? [] : source(file, line)), ...details),
  );
}

function source(file: string, line?: number): Node[] {
  const { path, links } = sourceFile(file, line);
  const text = line === undefined ? path : `${path}:${line}`;
  const [first, ...others] = links;
  if (!first) return [element("span", {}, text)];
  return [
    element("a", { href: first.url, title: `On ${first.site}` }, text),
    ...others.map(({ site, url }) => element("a", { href: url, "aria-label": `${text} on ${site}` }, site)),
  ];
}

/** `xul.dll + 0x1b2c`, an absolute address, or an empty string. */
function addressOf({ module, module_offset: offset }: SymbolicatedFrame): string {
  if (module !== "<unknown>") return `${module} + ${offset}`;
  return offset === "-0x1" ? "" : offset;
}
