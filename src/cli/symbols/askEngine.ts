import type { Config } from "../../config.ts";
import { startEngine } from "../../engine.ts";
import { createLogs } from "../../logging.ts";
import { Metrics } from "../../metrics.ts";
import { AnswerTooLarge } from "../../symbolication/frames.ts";
import type { Symcaches } from "../../symbolication/symcaches.ts";
import { createSource } from "../../symbols/createSource.ts";
import type { Source } from "../../symbols/source.ts";
import { CommandError } from "../commandError.ts";
import { unlessAborted } from "../interruption.ts";
import { megabytes, Progress } from "../progress.ts";
import { symbolicatedOffsets } from "./sourceLocations.ts";
import { Symbols, type ModuleSymbols, type WantedModule, type WantedSymbols } from "./symbols.ts";

/** Looks symbols up here, without a service: in the cache folder, or in what the sources have. Throws a CommandError. */
export async function askEngine(
  { modules }: WantedSymbols,
  config: Config,
  signal: AbortSignal,
): Promise<Symbols> {
  await using lifetimes = new AsyncDisposableStack();
  const metrics = lifetimes.use(new Metrics(config, { mock: true }));
  const { app: log } = createLogs(config, { write() {} });
  const progress = { done: 0, of: modules.size, bytes: 0 };
  const sources = config.sources.map((address) =>
    counted(lifetimes.use(createSource(address, config)), progress),
  );
  const { symcaches } = lifetimes.use(
    await startEngine({ config, sources, metrics, log, isCrowded: () => false }),
  );
  const wanted = modules.values();
  const found: ModuleSymbols[] = [];
  const lookUpNext = async () => {
    for (const module of wanted) {
      found.push(await lookUp(module, symcaches));
      progress.done++;
    }
  };
  using shown = showing(progress);
  // As many as are downloaded at a time: the rest would only wait in a queue that has a bound.
  await unlessAborted(Promise.all(Array.from({ length: config.maxDownloads }, lookUpNext)), signal);
  return new Symbols(found);
}

async function lookUp(
  { module, offsets }: WantedModule,
  symcaches: Pick<Symcaches, "lookUp">,
): Promise<ModuleSymbols> {
  const { debugFilename, debugId } = module;
  const list = Uint32Array.from(offsets);
  try {
    const { answer } = await symcaches.lookUp({ debugFilename, debugId: debugId.toUpperCase() }, list);
    if (!("locations" in answer))
      return { module, name: debugFilename, failure: answer.reason, offsets: new Map() };
    const known = new Map<number, NonNullable<ReturnType<Symbols["at"]>>>();
    let number = 0;
    for (const symbolicated of symbolicatedOffsets(answer.locations)) {
      if (symbolicated) known.set(list[number] ?? 0, symbolicated);
      number++;
    }
    return { module, name: answer.moduleName, failure: undefined, offsets: known };
  } catch (error) {
    if (!(error instanceof AnswerTooLarge)) throw error;
    throw new CommandError("failed", `there are too many calls in ${debugFilename}: ask for fewer frames`);
  }
}

/** The same source, while the text that it gives is counted. */
function counted(source: Source, progress: { bytes: number }): Source {
  return {
    address: source.address,
    get fault() {
      return source.fault;
    },
    attempt: (download, signal) => source.attempt(download, signal),
    async open(module, signal) {
      const symText = await source.open(module, signal);
      if (!symText) return undefined;
      async function* pieces(text: AsyncIterable<Uint8Array>) {
        for await (const piece of text) {
          progress.bytes += piece.length;
          yield piece;
        }
      }
      return {
        pieces: pieces(symText.pieces),
        [Symbol.asyncDispose]: () => symText[Symbol.asyncDispose](),
      };
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/** Shows how far lookups have come, until it is disposed of. */
function showing(progress: { done: number; of: number; bytes: number }): Disposable {
  const shown = new Progress();
  const timer = setInterval(() => {
    shown.show(
      () => `${progress.done} of ${progress.of} modules, ${megabytes(progress.bytes)} of sym files`,
    );
  }, 100);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      shown[Symbol.dispose]();
    },
  };
}
