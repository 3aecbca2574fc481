import { readCapture, readText, UnreadableCapture } from "./captures/readCapture.js";
import { byId } from "./element.js";
import { clearErrors, showError } from "./errors.js";
import { followFiles } from "./files.js";
import { count } from "./figures.js";
import { offsetsRequest, TypingError } from "./offsetsRequest.js";
import { captureResult, requestResult } from "./result.js";
import { postV5, ServiceError } from "./service.js";
import { showResult } from "./showResult.js";
import { showStatus } from "./status.js";

/** @import { Result } from "./result.js" */

const textArea = byId("text", HTMLTextAreaElement);
const progressLine = byId("progress", HTMLElement);
const cancelButton = byId("cancel", HTMLButtonElement);

/** What is being asked, and is given up for what is asked next. */
let asking = new AbortController();

/**
 * Shows what `ask` finds out, or why there is nothing, beside the input that it came from.
 * @param {string} field
 * @param {(signal: AbortSignal) => Promise<Result>} ask
 */
async function show(field, ask) {
  asking.abort();
  const { signal } = (asking = new AbortController());
  clearErrors();
  progressLine.textContent = "Symbolicating…";
  cancelButton.hidden = false;
  const start = performance.now();
  try {
    const result = await ask(signal);
    if (signal.aborted) return;
    showResult(result, performance.now() - start);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof TypingError) showError(error.field, error.message);
    else if (error instanceof UnreadableCapture || error instanceof ServiceError)
      showError(field, error.message);
    else throw error;
  } finally {
    if (!signal.aborted) endProgress("");
  }
  void showStatus();
}

/** @param {string} last */
function endProgress(last) {
  progressLine.textContent = last;
  cancelButton.hidden = true;
}

/**
 * @param {string} text
 * @param {AbortSignal} signal
 * @returns {Promise<Result>}
 */
function resultOf(text, signal) {
  const capture = readCapture(text);
  /** @param {string} body */
  const post = (body) => postV5(body, signal);
  if (!capture) return requestResult(text, post);
  return captureResult(capture, post, (done, all) => {
    progressLine.textContent = `Symbolicating ${capture.format}: ${done} of ${count(all, "module")}…`;
  });
}

byId("paste", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void show("text", async (signal) => {
    if (textArea.value.trim() === "") throw new TypingError("text", "Paste something first.");
    return resultOf(textArea.value, signal);
  });
});

textArea.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) textArea.form?.requestSubmit();
});

followFiles((file) => {
  void show("text", async (signal) => {
    const result = await resultOf(await readText(file), signal);
    return { ...result, source: file.name };
  });
});

byId("offsets-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const [debugFilename, debugId, offsets] = ["debug-filename", "debug-id", "offsets"].map((id) =>
    byId(id, HTMLInputElement).value.trim(),
  );
  void show("offsets", async (signal) =>
    requestResult(offsetsRequest(debugFilename ?? "", debugId ?? "", offsets ?? ""), (body) =>
      postV5(body, signal),
    ),
  );
});

cancelButton.addEventListener("click", () => {
  asking.abort();
  endProgress("Cancelled.");
  textArea.focus();
});

for (const place of document.querySelectorAll(".origin")) place.textContent = location.origin;
void showStatus();
