export interface NamedModule {
  debugFilename: string;
  debugId: string;
  /** The file's own name of the module, such as `xul.dll` for `xul.pdb`. */
  filename: string | undefined;
}

/** What any format says about a module; nothing is checked yet. */
interface ModuleNames {
  debugFile: unknown;
  debugId: unknown;
  filename: unknown;
}

/**
 * Turns the names and ids in a file into the module that symbols are looked up for. Symbol servers know file names without
 * paths; MinGW modules have an empty debug file. Empty strings mean unknown.
 */
export function identifyModule({ debugFile, debugId, filename }: ModuleNames): NamedModule {
  return {
    debugFilename: baseName(stringOr(debugFile, "") || stringOr(filename, "")),
    debugId: stringOr(debugId, ""),
    filename: stringOr(filename, undefined),
  };
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
  const { name = "", debugName, pdbName, breakpadId, pdbSignature = "", pdbAge = 0 } = library;
  const pdbId = pdbSignature && pdbSignature.replaceAll(/[{}-]/g, "").toUpperCase() + pdbAge.toString(16);
  return identifyModule({
    debugFile: debugName ?? pdbName,
    debugId: breakpadId ?? pdbId,
    filename: baseName(name),
  });
}
