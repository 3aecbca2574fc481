import { byId } from "./element.ts";

/** Shows an error next to an input and moves the focus there. */
export function showError(inputId: string, message: string): void {
  const input = byId(inputId, HTMLElement);
  const line = input.closest("form")?.querySelector(".error");
  if (line) line.textContent = message;
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

export function clearErrors(): void {
  for (const line of document.querySelectorAll(".error")) line.textContent = "";
  for (const input of document.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}
