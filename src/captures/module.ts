export interface NamedModule {
  /** Of a module without a debug id, the code file. */
  debugFilename: string;
  /** Of a module without a debug id, the code id. */
  debugId: string;
  /** The file's own name of the module, such as `xul.dll` for `xul.pdb`. */
  filename: string | undefined;
  /** The names and ids as the file has them: `C:\\x\\xul.pdb/1410…`. */
  key: string;
}

/** What any format says about a module; nothing is checked yet. */
interface ModuleNames {
  debugFile: unknown;
  debugId: unknown;
  filename: unknown;
  codeId: unknown;
}

/**
 * Turns the names and ids in a file into the module that symbols are looked up for. Symbol servers know file names without
 * paths; MinGW modules have an empty debug file. Empty strings mean unknown, and so does a debug id of zeros: out-of-memory
 * crashes on Windows have only code ids.
 */
export function identifyModule(names: ModuleNames): NamedModule {
  const filename = stringOr(names.filename, undefined);
  const codeFile = filename || stringOr(names.debugFile, "");
  const debugFile = stringOr(names.debugFile, "") || codeFile;
  const debugId = stringOr(names.debugId, "");
  const codeId = stringOr(names.codeId, "");
  const module = (file: string, id: string) => ({ debugFilename: baseName(file), debugId: id, filename });
  if (!isMissing(debugId)) return { ...module(debugFile, debugId), key: `${debugFile}/${debugId}` };
  if (isMissing(codeId)) return { ...module(debugFile, ""), key: `${debugFile}/${debugId}` };
  const key = `${codeFile}/${codeId}`;
  if (isBuildId(codeId)) return { ...module(debugFile, debugIdOfBuildId(codeId)), key };
  return { ...module(codeFile, codeId), key };
}

function isMissing(id: string): boolean {
  return /^0*$/.test(id);
}

/** Build ids are the code ids of ELF files. Code ids of Windows have at most 16 digits. */
function isBuildId(codeId: string): boolean {
  return /^[0-9a-f]{32,}$/i.test(codeId);
}

/** The first 16 bytes as a GUID, whose first three fields are little-endian, and the age 0. */
function debugIdOfBuildId(buildId: string): string {
  const bytes = buildId.slice(0, 32).toUpperCase();
  return `${bytes.replace(/^(..)(..)(..)(..)(..)(..)(..)(..)/, "$4$3$2$1$6$5$8$7")}0`;
}

/** The part behind the last slash or backslash. */
function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function stringOr<Fallback>(value: unknown, fallback: Fallback): string | Fallback {
  return typeof value === "string" ? value : fallback;
}

/** A library of a profile of any version. */
export interface Library {
  /** A path in the first versions. */
  name?: string;
  debugName?: string;
  /** The former name of `debugName`. */
  pdbName?: string;
  /** Null for code that was compiled at run time. */
  breakpadId?: string | null;
  codeId?: string | null;
  /** `{10000000-0000-0000-0000-0000000000a2}`: with `pdbAge`, the former spelling of `breakpadId`. */
  pdbSignature?: string;
  pdbAge?: number;
  /** Absolute address. */
  start?: number | string;
  end?: number | string;
  /** Offset of `start` in the library. */
  offset?: number | string;
}

export function libraryModule(library: Library): NamedModule {
  const { name = "", debugName, pdbName, breakpadId, codeId, pdbSignature = "", pdbAge = 0 } = library;
  const pdbId = pdbSignature && pdbSignature.replaceAll(/[{}-]/g, "").toUpperCase() + pdbAge.toString(16);
  return identifyModule({
    debugFile: debugName ?? pdbName,
    debugId: breakpadId ?? pdbId,
    filename: baseName(name),
    codeId,
  });
}
