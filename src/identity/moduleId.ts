/**
 * The pair of debug file and debug id that names a module's symbols, or of code file and code id where no debug id is known.
 * Created where a request, command or file is read.
 */
export interface ModuleId {
  /** `libxul.so`, `xul.pdb`, or the code file `xul.dll` */
  readonly debugFile: string;
  /** Upper-case hex: GUID and age of a Breakpad module record, or the code id. */
  readonly debugId: string;
  /** `libxul.so/1410FAF03AD925211450AE25E0CB9AE50`; the caches know a module by this alone. */
  readonly key: string;
}

/** `debugId` may be in either case, as clients write it. */
export function moduleId(debugFile: string, debugId: string): ModuleId {
  const upperCaseId = debugId.toUpperCase();
  return { debugFile, debugId: upperCaseId, key: `${debugFile}/${upperCaseId}` };
}

/**
 * Whether the module is named by its code file and code id, `xul.dll/5CF2591C6859000`: time stamp and size of a Windows file.
 * Debug ids of PDB 2.0 files look the same.
 */
export function hasCodeId({ debugFile, debugId }: ModuleId): boolean {
  return /^[0-9A-F]{9,16}$/.test(debugId) && !/\.pdb$/i.test(debugFile);
}

/** The longest file name of most file systems. */
const maxDebugFileBytes = 255;

/** Why no source can have the module's symbols; undefined if one may have them. Only then is the key a safe path. */
export function unservableReason({ debugFile, debugId }: ModuleId): string | undefined {
  const isServableName =
    !/^\.{1,2}$|[/\\\p{Cc}]/u.test(debugFile) &&
    debugFile.isWellFormed() &&
    Buffer.byteLength(debugFile) <= maxDebugFileBytes;
  if (!isServableName) return "no symbol server can have a file of that name";
  if (!/^[0-9A-F]{1,64}$/i.test(debugId)) return "the debug id is not 1 to 64 hex digits";
  return undefined;
}

/** The module that a cache stores under `key`. */
export function moduleIdOfKey(key: string): ModuleId {
  const slash = key.lastIndexOf("/");
  return { debugFile: key.slice(0, slash), debugId: key.slice(slash + 1), key };
}
