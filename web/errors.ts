import { byId } from "./element.js";

/**
 * Says beside an input what is wrong with it, and takes the reader there.
 * @param {string} field its id
 * @param {string} message
 */
export function showError(field, message) {
  const input = byId(field, HTMLElement);
  const line = input.closest("form")?.querySelector(".error");
  if (line) line.textContent = message;
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

export function clearErrors() {
  for (const line of document.querySelectorAll(".error")) line.textContent = "";
  for (const input of document.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}
