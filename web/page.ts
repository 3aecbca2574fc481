import { readCapture } from "../src/captures/readCapture.ts";
import { readText } from "../src/captures/readText.ts";
import { UnreadableCapture } from "../src/captures/unreadableCapture.ts";
import { byId } from "./element.ts";
import { clearErrors, showError } from "./errors.ts";
import { counted } from "../src/captures/numberText.ts";
import { listenForFiles } from "./files.ts";
import { InputError, offsetsRequest } from "./offsetsRequest.ts";
import { captureResult, requestResult, type Result } from "./result.ts";
import { postV5, ServiceError } from "./service.ts";
import { showResult } from "./showResult.ts";
import { showStatus } from "./status.ts";

const textArea = byId("text", HTMLTextAreaElement);
const progressLine = byId("progress", HTMLElement);
const cancelButton = byId("cancel", HTMLButtonElement);

/** Aborts the current symbolication when the next one starts. */
let current = new AbortController();

/** Shows the result of `symbolicate`, or its error next to the input with `inputId`. */
async function show(inputId: string, symbolicate: (signal: AbortSignal) => Promise<Result>): Promise<void> {
  current.abort();
  const { signal } = (current = new AbortController());
  clearErrors();
  progressLine.textContent = "Symbolicating…";
  cancelButton.hidden = false;
  const start = performance.now();
  try {
    const result = await symbolicate(signal);
    if (signal.aborted) return;
    showResult(result, performance.now() - start);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof InputError) showError(error.inputId, error.message);
    else if (error instanceof UnreadableCapture || error instanceof ServiceError)
      showError(inputId, error.message);
    else throw error;
  } finally {
    if (!signal.aborted) endProgress("");
  }
  void showStatus();
}

function endProgress(message: string): void {
  progressLine.textContent = message;
  cancelButton.hidden = true;
}

function symbolicateText(text: string, signal: AbortSignal): Promise<Result> {
  const capture = readCapture(text);
  const post = (body: string) => postV5(body, signal);
  if (!capture) return requestResult(text, post);
  return captureResult(capture, post, (done, all) => {
    progressLine.textContent = `Symbolicating ${capture.format}: ${done} of ${counted(all, "module")}…`;
  });
}

byId("paste", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void show("text", async (signal) => {
    if (textArea.value.trim() === "") throw new InputError("text", "Paste something first.");
    return symbolicateText(textArea.value, signal);
  });
});

textArea.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) textArea.form?.requestSubmit();
});

listenForFiles((file) => {
  void show("text", async (signal) => {
    const result = await symbolicateText(await readText(file), signal);
    return { ...result, source: file.name };
  });
});

byId("offsets-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void show("offsets", async (signal) => {
    const body = offsetsRequest(inputValue("debug-filename"), inputValue("debug-id"), inputValue("offsets"));
    return requestResult(body, () => postV5(body, signal));
  });
});

function inputValue(id: string): string {
  return byId(id, HTMLInputElement).value.trim();
}

cancelButton.addEventListener("click", () => {
  current.abort();
  endProgress("Cancelled.");
  textArea.focus();
});

for (const place of document.querySelectorAll(".origin")) place.textContent = location.origin;
void showStatus();
