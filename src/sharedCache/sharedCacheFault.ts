/** The shared cache doesn't give, or take, what it was asked to: as if there were none. */
export class SharedCacheFault extends Error {
  override name = "SharedCacheFault";
  /** Whether the store answered well, but what it has is no whole symcache of the module. */
  readonly isBadObject: boolean;

  constructor(
    message: string,
    { isBadObject = false, cause }: { isBadObject?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.isBadObject = isBadObject;
  }
}

/** What is wrong with an object, where reading it threw `cause`. */
export function badObject(message: string, cause?: unknown): SharedCacheFault {
  return new SharedCacheFault(message, { isBadObject: true, cause });
}
