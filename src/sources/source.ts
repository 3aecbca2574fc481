import { hasCodeId, type ModuleId } from "../identity/moduleId.ts";

/** The decompressed text of a sym file while it arrives. It keeps a connection or a file open until it is disposed of. */
export interface SymText extends AsyncDisposable {
  /** Throws a DownloadError if the text is truncated or damaged. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** A place that serves sym files. */
export interface Source extends AsyncDisposable {
  /** As configured. */
  readonly address: string;
  /** Why the latest request failed. Undefined if the source works. */
  readonly fault: string | undefined;
  /** The module's sym file; undefined if the source doesn't have it. Throws a DownloadError. */
  open(module: ModuleId, signal: AbortSignal): Promise<SymText | undefined>;
  /** Runs a download from this source, with retries. Fails at once while the source's circuit breaker is open. */
  attempt<T>(download: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** `xul.sym` for `xul.pdb`, and for `xul.dll` with a code id. */
export function symFileName(module: ModuleId): string {
  return `${module.debugFile.replace(hasCodeId(module) ? /\.[^.]*$/ : /\.pdb$/i, "")}.sym`;
}

/**
 * `xul.pdb/1410…E5A/xul.sym` and `xul.pdb/1410…E5a/xul.sym`: where a source may have the sym file, in order. Breakpad's and
 * Mozilla's tools write the age, which follows the 32nd digit, in lower case. Symbol servers redirect the path with a code id,
 * `xul.dll/5CF2591C6859000/xul.sym`, to that with the debug id.
 */
export function symFilePaths(module: ModuleId): string[] {
  const { debugFile, debugId } = module;
  const ids = new Set([debugId, debugId.slice(0, 32) + debugId.slice(32).toLowerCase()]);
  return [...ids].map((id) => `${debugFile}/${id}/${symFileName(module)}`);
}
