import { requestText } from "../src/captures/requestText.ts";

/** An input has a value that can't be used. The message tells what to enter. */
export class InputError extends Error {
  override name = "InputError";
  readonly inputId: string;

  constructor(inputId: string, message: string) {
    super(message);
    this.inputId = inputId;
  }
}

/** The longest name that a symbol server can have. */
const maxNameBytes = 255;
const maxOffset = 2n ** 64n - 1n;

/**
 * A request for typed offsets of one module: hex with 0x, or decimal, separated by commas or spaces. Throws an InputError.
 */
export function offsetsRequest(debugFilename: string, debugId: string, offsets: string): string {
  if (debugFilename === "")
    throw new InputError(
      "debug-filename",
      "Enter the module’s debug filename, such as xul.pdb or libxul.so.",
    );
  const nameError = fileNameError(debugFilename);
  if (nameError !== undefined) throw new InputError("debug-filename", nameError);
  if (!/^[0-9a-f]{1,64}$/i.test(debugId))
    throw new InputError("debug-id", "Enter the module’s debug id: up to 64 hex digits, without dashes.");
  const words = offsets.split(/[\s,;]+/).filter(Boolean);
  if (words.length === 0) throw new InputError("offsets", "Enter one or more offsets, such as 0xb2e3f7.");
  const stack = words.map((word) => {
    if (!/^(?:0x[0-9a-f]+|[0-9]+)$/i.test(word) || BigInt(word) > maxOffset)
      throw new InputError(
        "offsets",
        `“${word}” is not a valid offset. Write hex with 0x, with at most 64 bits.`,
      );
    return { moduleIndex: 0, moduleOffset: BigInt(word) };
  });
  return requestText([[debugFilename, debugId]], [stack]);
}

/** Why no symbol server can have a file of that name. The service does not look such modules up. */
function fileNameError(name: string): string | undefined {
  if (/[/\\]/.test(name)) return "Enter a file name without its path, such as xul.pdb or libxul.so.";
  if (/^\.{1,2}$|\p{Cc}/u.test(name) || !name.isWellFormed()) return `“${name}” is not a valid file name.`;
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > maxNameBytes)
    return `This name is over ${maxNameBytes} bytes long. No symbol server can have it.`;
  return undefined;
}
