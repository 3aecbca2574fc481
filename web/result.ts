import {
  MemoryMap,
  type Capture,
  type Frame,
  type Module,
  type Stack,
  type Thread,
} from "../src/captures/capture.ts";
import { requestText } from "../src/captures/requestText.ts";
import {
  moduleOutcomes,
  moduleState,
  type ModuleOutcome,
  type SymbolicatedFrame,
} from "../src/captures/response.ts";
import { symbolicateCapture, type Post } from "../src/captures/symbolicateCapture.ts";
import { counted } from "../src/captures/numberText.ts";
import { percent } from "./figures.ts";

export interface ShownStack {
  title?: string;
  readonly frames: readonly SymbolicatedFrame[];
}

export interface ShownThread {
  name: string;
  note: string;
  isCrashed: boolean;
  /** At first. */
  isOpen: boolean;
  stacks: ShownStack[];
}

export interface Result {
  heading: string;
  /** The name of the file. */
  source?: string;
  /** Why the process crashed. */
  reason?: string;
  /** What `threads` are: the stacks of a request are shown as threads. */
  noun: "stack" | "thread";
  threads: ShownThread[];
  outcomes: ModuleOutcome[];
  copyLabel: string;
  /** A request body for these stacks. */
  request: (stacks: ShownStack[]) => string;
  /** The service's response to that request. */
  response: (stacks: ShownStack[]) => object;
}

/** More stacks of a request are closed at first. */
const maxOpenStacks = 20;

/** The result of a request, which is sent to the service unchanged. */
export async function requestResult(text: string, post: Post): Promise<Result> {
  const response = await post(text);
  const { results } = response;
  const threads = results.flatMap(({ stacks }, job) =>
    stacks.map((frames, stack) => ({
      name: results.length > 1 ? `Job ${job}, stack ${stack}` : `Stack ${stack}`,
      note: counted(frames.length, "frame"),
      isCrashed: false,
      stacks: [{ frames }],
    })),
  );
  return {
    heading: results.length > 1 ? `Request of ${counted(results.length, "job")}` : "Request",
    noun: "stack",
    threads: threads.map((thread, index) => ({ ...thread, isOpen: index < maxOpenStacks })),
    outcomes: moduleOutcomes(response),
    copyLabel: "Copy",
    request: () => text,
    response: () => ({ results }),
  };
}

/** The result of a profile or a crash. Only its modules and offsets are sent to the service. */
export async function captureResult(
  capture: Capture,
  post: Post,
  progress: (modulesDone: number, modules: number) => void,
): Promise<Result> {
  const { outcomes, frameOf } = await symbolicateCapture(capture, post, progress);
  const captured = new Map<ShownStack, Stack>();
  const showStack = (stack: Stack, allSamples: number): ShownStack => {
    const { samples } = stack;
    const shown = {
      ...(samples !== undefined && {
        title: `${counted(samples, "sample")}, ${percent(samples, allSamples)}`,
      }),
      get frames() {
        return stack.frames.map(frameOf);
      },
    };
    captured.set(shown, stack);
    return shown;
  };
  const framesOf = (stack: ShownStack) => captured.get(stack)?.frames ?? [];
  const threads = capture.threads.filter(({ stacks }) => stacks.some(({ frames }) => frames.length > 0));
  const open = threads.find(({ isCrashed }) => isCrashed) ?? threads[0];
  return {
    heading: capture.format,
    ...(capture.reason !== undefined && { reason: capture.reason }),
    noun: "thread",
    threads: threads.map((thread) => {
      const samples = thread.stacks.reduce((sum, stack) => sum + (stack.samples ?? 0), 0);
      return {
        name: thread.name,
        note: note(thread, samples),
        isCrashed: thread.isCrashed,
        isOpen: thread === open,
        stacks: thread.stacks.map((stack) => showStack(stack, samples)),
      };
    }),
    outcomes,
    copyLabel: "Copy open threads",
    request: (stacks) => captureRequest(capture, stacks.map(framesOf)),
    response(stacks) {
      const used = new Set(
        stacks.flatMap(framesOf).map(({ moduleIndex }) => requestedModule(capture, moduleIndex)?.join("/")),
      );
      const found = outcomes.flatMap((outcome) => {
        const key = `${outcome.debugFilename}/${outcome.debugId}`;
        return used.has(key) ? [[key, moduleState(outcome) === "found"]] : [];
      });
      return {
        results: [{ stacks: stacks.map(({ frames }) => frames), found_modules: Object.fromEntries(found) }],
      };
    },
  };
}

function note({ stacks: [first, ...others] }: Thread, samples: number): string {
  if (samples > 0) return `${counted(samples, "sample")} in ${counted(others.length + 1, "stack")}`;
  return counted(first?.frames.length ?? 0, "frame");
}

/** Undefined for a module without a name or id, which requests do not have. */
function requestedModule({ memoryMap }: Capture, moduleIndex: number): Module | undefined {
  const module = memoryMap[moduleIndex];
  return module?.every((text) => text !== "") ? module : undefined;
}

function captureRequest(capture: Capture, stacks: (readonly Frame[])[]): string {
  const map = new MemoryMap();
  const renumbered = stacks.map((frames) =>
    frames.map(({ moduleIndex, moduleOffset }) => {
      const [debugFilename, debugId] = requestedModule(capture, moduleIndex) ?? [];
      if (debugFilename === undefined || debugId === undefined) return { moduleIndex: -1, moduleOffset };
      return { moduleIndex: map.indexOf({ debugFilename, debugId, filename: undefined }), moduleOffset };
    }),
  );
  return requestText(map.memoryMap, renumbered);
}
