import { byId } from "./element.ts";

/** Longer pasted text is treated as a file, because text areas are slow with it. */
const maxTextAreaLength = 200_000;

/** Calls `open` with each file that is chosen, dropped or pasted, and with long pasted text. */
export function listenForFiles(open: (file: File) => void): void {
  const input = byId("file", HTMLInputElement);
  byId("choose", HTMLButtonElement).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) open(file);
    // Lets the same file be chosen again.
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
    open(file);
  });

  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData?.files ?? [];
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!file && text.length < maxTextAreaLength) return;
    event.preventDefault();
    open(file ?? new File([text], "pasted text"));
  });
}
