import type { ModuleId } from "../identity/moduleId.ts";

/** The text of a sym file, decompressed, while it arrives. It holds a connection or a file until it is disposed of. */
export interface SymText extends AsyncDisposable {
  /** Throws a DownloadError where they end too early, or otherwise than a sym file does. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Where sym files come from. */
export interface Source extends AsyncDisposable {
  /** Its address, as configured. */
  readonly address: string;
  /** What was wrong with it when it was asked last, if anything: it is down. */
  readonly fault: string | undefined;
  /** The module's sym file; undefined where the source says that it has none. Throws a DownloadError. */
  open(module: ModuleId, signal: AbortSignal): Promise<SymText | undefined>;
  /** Runs a download that opens this source, again as often as makes sense; a source known to be down fails it at once. */
  attempt<T>(download: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** `xul.pdb`, `61D2…` → `xul.pdb/61D2…/xul.sym`: where symbol servers keep a sym file. */
export function symFilePath({ debugFile, debugId }: ModuleId): string {
  return `${debugFile}/${debugId}/${debugFile.replace(/\.pdb$/, "")}.sym`;
}
