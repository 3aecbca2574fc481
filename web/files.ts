import { byId } from "./element.js";

/** Characters of pasted text that are taken as a file: text areas are slow with more. */
const longText = 200_000;

/**
 * Follows the files that are chosen, dropped or pasted, and long text as if it were one.
 * @param {(file: File) => void} take
 */
export function followFiles(take) {
  const input = byId("file", HTMLInputElement);
  byId("choose", HTMLButtonElement).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) take(file);
    // Or the same file could not be chosen again.
    input.value = "";
  });

  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    take(file);
  });

  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData?.files ?? [];
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!file && text.length < longText) return;
    event.preventDefault();
    take(file ?? new File([text], "pasted text"));
  });
}
