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
}

export type DownloadFault = "failed" | "timeout" | "too_large";

/** A sym file could not be had whole, though it may exist. */
export class DownloadError extends Error {
  override name = "DownloadError";
  readonly fault: DownloadFault;

  constructor(fault: DownloadFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** `xul.pdb`, `61D2…` → `xul.pdb/61D2…/xul.sym`: where symbol servers keep a sym file. */
export function symFilePath({ debugFilename, debugId }: WantedModule): string {
  return `${debugFilename}/${debugId}/${debugFilename.replace(/\.pdb$/, "")}.sym`;
}
