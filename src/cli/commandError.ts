/** `tseliot --help` explains them. */
export const exitCodes = { fine: 0, no: 1, usage: 2, failed: 3 } as const;

/** Ends a command with a one-line message. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly exitCode: number;

  constructor(kind: keyof typeof exitCodes, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCodes[kind];
  }
}

/** Ends a command without a message: it was interrupted, or the reader of its output closed the pipe. */
export class CommandEnded extends Error {
  override name = "CommandEnded";
  readonly exitCode: number;

  constructor(exitCode: number, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.exitCode = exitCode;
  }
}

/** The code of a system error, such as `ENOENT`; undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "syscall" in error && "code" in error ? String(error.code) : undefined;
}

const reasons: Record<string, string> = {
  EACCES: "permission denied",
  EEXIST: "a file with this name exists",
  EISDIR: "it is a folder",
  ELOOP: "too many links",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "no such file or folder",
  ENOTDIR: "part of the path is not a folder",
  EPERM: "operation not permitted",
  EROFS: "the disk is read-only",
};

/** Explains a system error of a file on the command line. Rethrows any other error. */
export function fileError(what: string, error: unknown): CommandError {
  const code = systemCode(error);
  if (code === undefined) throw error;
  const reason = reasons[code] ?? (error as Error).message;
  return new CommandError(code in reasons ? "usage" : "failed", `${what}: ${reason}`, { cause: error });
}
