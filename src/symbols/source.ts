/** Which sym file is wanted: names and ids that a request may hold, the id in upper case. */
export interface WantedModule {
  debugFilename: string;
  debugId: string;
}

/** Where sym files come from. */
export interface Source extends AsyncDisposable {
  /** Its address, as configured. */
  readonly address: string;
  /** What was wrong with it when it was asked last, if anything: it is down. */
  readonly fault: string | undefined;
  /**
   * The text of the module's sym file, decompressed, in pieces; undefined where the source says that it has none.
   * Throws a DownloadError, also while the pieces are taken.
   */
  open(module: WantedModule, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Runs a download that opens this source, again as often as makes sense; a source known to be down fails it at once. */
  attempt<T>(download: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** `xul.pdb`, `61D2…` → `xul.pdb/61D2…/xul.sym`: where symbol servers keep a sym file. */
export function symFilePath({ debugFilename, debugId }: WantedModule): string {
  return `${debugFilename}/${debugId}/${debugFilename.replace(/\.pdb$/, "")}.sym`;
}
