export const exitCodes = { fine: 0, no: 1, usage: 2, failed: 3 } as const;

export const exitCodeMeanings: Record<keyof typeof exitCodes, string> = {
  fine: "success",
  no: "negative result: a damaged file, a missing file, or services that differ",
  usage: "invalid command line, or an input file that is unreadable or invalid",
  failed: "network, disk or service failure",
};

type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command with a one-line message. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(kind: keyof typeof exitCodes, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCodes[kind];
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

/** Explains why a file on the command line can't be read or written. Rethrows anything but a system error. */
export function fileError(what: string, error: unknown): CommandError {
  const code = systemCode(error);
  if (code === undefined) throw error;
  const reason = reasons[code];
  const cause = { cause: error };
  if (reason !== undefined) return new CommandError("usage", `${what}: ${reason}`, cause);
  return new CommandError("failed", `${what}: ${error instanceof Error ? error.message : code}`, cause);
}
