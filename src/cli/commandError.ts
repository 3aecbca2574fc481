/** The same for all commands. */
export const exitCodes = { fine: 0, no: 1, usage: 2, failed: 3 } as const;

/** What each says, as help has it. */
export const exitCodeMeanings: Record<keyof typeof exitCodes, string> = {
  fine: "all went well",
  no: "the answer is no: a file is damaged, or no source has it",
  usage: "the command line is wrong, or a file that it names can't be read or isn't what it should be",
  failed: "the network, the disk or a service failed",
};

type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command. The message is one line, without the command's name. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(kind: keyof typeof exitCodes, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCodes[kind];
  }
}

/** `ENOENT` and the like of what the operating system refused; undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "syscall" in error && "code" in error ? String(error.code) : undefined;
}

const reasons: Record<string, string> = {
  EACCES: "permission denied",
  EEXIST: "it is a file",
  EISDIR: "it is a folder",
  ELOOP: "too many links",
  ENAMETOOLONG: "its name is too long",
  ENOENT: "no such file or folder",
  ENOTDIR: "a part of its path is no folder",
  EPERM: "not permitted",
  EROFS: "the disk is read-only",
};

/** Why a file named on the command line can't be read or written. Rethrows what is no system error. */
export function fileError(what: string, error: unknown): CommandError {
  const code = systemCode(error);
  if (code === undefined) throw error;
  const reason = reasons[code];
  const cause = { cause: error };
  if (reason !== undefined) return new CommandError("usage", `${what}: ${reason}`, cause);
  return new CommandError("failed", `${what}: ${error instanceof Error ? error.message : code}`, cause);
}
