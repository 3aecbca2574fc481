/** The shared cache failed, or its object is unusable. The caller continues as if there were no shared cache. */
export class SharedCacheFault extends Error {
  override name = "SharedCacheFault";
  /** Whether the store works, but the object is not a valid symcache of the module. */
  readonly isBadObject: boolean;

  constructor(
    message: string,
    { isBadObject = false, cause }: { isBadObject?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.isBadObject = isBadObject;
  }
}

export function badObject(message: string, cause?: unknown): SharedCacheFault {
  return new SharedCacheFault(message, { isBadObject: true, cause });
}
