import type { ModuleId } from "../identity/moduleId.ts";

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

/** `xul.pdb`, `61D2…` → `xul.pdb/61D2…/xul.sym`: the layout of symbol servers. */
export function symFilePath({ debugFile, debugId }: ModuleId): string {
  return `${debugFile}/${debugId}/${debugFile.replace(/\.pdb$/i, "")}.sym`;
}
