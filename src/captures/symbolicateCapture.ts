import type { CaptureOfAnySize, Frame } from "./capture.ts";
import type { Integer } from "./integer.ts";
import { requestText } from "./requestText.ts";
import { moduleOutcomes, type ModuleOutcome, type SymbolicatedFrame, type V5Response } from "./response.ts";

/**
 * Posts a body to /symbolicate/v5 with the header Debug. Throws an Error whose message tells a person why there is no response.
 */
export type Post = (body: string) => Promise<V5Response>;

export interface SymbolicatedCapture {
  /** The frame with its symbols; `index` is its position in the stack. */
  frameOf: (frame: Frame, index: number) => SymbolicatedFrame;
  /** Of the modules that a frame points into. */
  outcomes: ModuleOutcome[];
}

interface UsedModule {
  moduleIndex: number;
  debugFilename: string;
  debugId: string;
  offsets: Integer[];
}

const maxModulesPerRequest = 10;
/** A single module may have more. */
const maxOffsetsPerRequest = 10_000;

/**
 * Symbolicates each distinct offset of a capture once, with ten modules per request so that one slow download delays few
 * others. A failed request costs only its own modules, unless `post` throws an AbortError.
 */
export async function symbolicateCapture(
  capture: CaptureOfAnySize,
  post: Post,
  progress: (modulesDone: number, modules: number) => void,
): Promise<SymbolicatedCapture> {
  const framesByModule = new Map<number, Map<Integer, SymbolicatedFrame | undefined>>();
  const outcomes: ModuleOutcome[] = [];
  const identified: UsedModule[] = [];
  for (const module of usedModules(capture)) {
    if (module.debugFilename !== "" && module.debugId !== "") identified.push(module);
    else outcomes.push(withoutSymbols(module));
  }
  let done = 0;
  progress(done, identified.length);
  const requests = groups(identified).map(async (group) => {
    const response = await post(groupRequest(group)).catch(failure);
    if (response instanceof Error) {
      for (const { debugFilename, debugId } of group)
        outcomes.push({ debugFilename, debugId, status: "failed", reason: response.message });
    } else {
      outcomes.push(...moduleOutcomes(response));
      const frames = (response.results[0]?.stacks[0] ?? []).values();
      for (const { moduleIndex, offsets } of group)
        framesByModule.set(moduleIndex, new Map(offsets.map((offset) => [offset, frames.next().value])));
    }
    progress((done += group.length), identified.length);
  });
  await Promise.all(requests);
  return {
    outcomes,
    frameOf({ moduleIndex, moduleOffset, known, trust }, index) {
      const found = framesByModule.get(moduleIndex)?.get(moduleOffset);
      const debugFilename = capture.memoryMap[moduleIndex]?.[0] || "<unknown>";
      const module = capture.moduleNames[moduleIndex] ?? found?.module ?? debugFilename;
      const base = found ?? { module_offset: hex(moduleOffset) };
      const location = found?.function === undefined ? known : {};
      return { ...base, module, ...location, frame: index, ...(trust !== undefined && { trust }) };
    },
  };
}

function failure(error: unknown): Error {
  if (error instanceof Error && error.name !== "AbortError") return error;
  throw error;
}

function usedModules({ memoryMap, threads }: CaptureOfAnySize): UsedModule[] {
  const offsetsByModule = new Map<number, Set<Integer>>();
  for (const { stacks } of threads)
    for (const { frames } of stacks)
      for (const { moduleIndex, moduleOffset } of frames) {
        if (moduleIndex < 0) continue;
        const offsets = offsetsByModule.get(moduleIndex) ?? new Set();
        offsetsByModule.set(moduleIndex, offsets.add(moduleOffset));
      }
  return [...offsetsByModule].map(([moduleIndex, offsets]) => {
    const [debugFilename, debugId] = memoryMap[moduleIndex] ?? ["", ""];
    return { moduleIndex, debugFilename, debugId, offsets: [...offsets] };
  });
}

function withoutSymbols({ debugFilename, debugId }: UsedModule): ModuleOutcome {
  const reason = debugId === "" ? "it has no debug id" : "it has no debug file name";
  return { debugFilename, debugId, status: "not_found", reason };
}

function groups(modules: UsedModule[]): UsedModule[][] {
  const all: UsedModule[][] = [];
  let offsetsLeft = 0;
  for (const module of modules) {
    const last = all.at(-1);
    offsetsLeft -= module.offsets.length;
    if (last && last.length < maxModulesPerRequest && offsetsLeft >= 0) {
      last.push(module);
    } else {
      all.push([module]);
      offsetsLeft = maxOffsetsPerRequest - module.offsets.length;
    }
  }
  return all;
}

function groupRequest(group: UsedModule[]): string {
  const stack = group.flatMap(({ offsets }, moduleIndex) =>
    offsets.map((moduleOffset) => ({ moduleIndex, moduleOffset })),
  );
  return requestText(
    group.map(({ debugFilename, debugId }) => [debugFilename, debugId]),
    [stack],
  );
}

/** As the service writes it. */
function hex(offset: Integer): string {
  return offset < 0 ? "-0x1" : `0x${offset.toString(16)}`;
}
