/** Control characters, and those that reverse the direction of text. */
const unprintable = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu;

/** Text from a file or a server for people: `\x1B` instead of the character that starts an escape sequence. Keeps line breaks. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => {
    if (character === "\n") return character;
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
  });
}

/** The same for text that belongs on one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll("\n", "\\n");
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, "0");
}
