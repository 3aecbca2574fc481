import type { Answer } from "../../../web/static/captures/answer.js";
import type { Config } from "../../config/config.ts";
import { startEngine } from "../../engine.ts";
import { createLogs } from "../../observability/logging.ts";
import { Metrics } from "../../observability/metrics.ts";
import { abortable } from "../../async/abortable.ts";
import { createSource } from "../../sources/createSource.ts";
import type { Source } from "../../sources/source.ts";
import { countBytes } from "../countBytes.ts";
import type { Answerer } from "./answerer.ts";
import { answerRequest } from "./answerRequest.ts";

/**
 * Answers with symbols from the cache folder and the sources, without a service. `received` is told of each piece of sym
 * text.
 */
export async function startBuiltInEngine(
  config: Config,
  received: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Answerer> {
  await using starting = new AsyncDisposableStack();
  const metrics = starting.use(new Metrics(config, { mock: true }));
  const { app: log } = createLogs({ logLevel: "ERROR", localDevelopment: false }, { write: warner(signal) });
  const sources = config.sources.map((address) =>
    counted(starting.use(createSource(address, config)), received),
  );
  // All that is asked for waits in the queue, however much it is: there is nobody to make room for.
  const patient = { ...config, downloadQueue: Number.MAX_SAFE_INTEGER };
  const { symcaches } = starting.use(
    await startEngine({ config: patient, sources, metrics, log, isCrowded: neverCrowded }),
  );
  const running = starting.move();
  return {
    v5: (body) => abortable(answerRequest("v5", body, symcaches) as Promise<Answer>, signal),
    v4: (body) => abortable(answerRequest("v4", body, symcaches), signal),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/**
 * Says on standard error what the engine logs as an error, such as a cache folder that can't be written, each once: not what
 * being interrupted brings about.
 */
function warner(signal: AbortSignal): (line: string) => void {
  const said = new Set<string>();
  return (line) => {
    if (signal.aborted) return;
    const { Fields: fields } = JSON.parse(line) as { Fields: { msg: string; error?: string } };
    if (said.size < said.add(fields.msg).size)
      process.stderr.write(`tseliot: ${fields.msg}: ${fields.error ?? ""}\n`);
  };
}

const neverCrowded = () => false;

/** The same source, while the text that it gives is counted. */
function counted(source: Source, received: (bytes: number) => void): Source {
  return {
    address: source.address,
    get fault() {
      return source.fault;
    },
    attempt: (download, signal) => source.attempt(download, signal),
    async open(module, signal) {
      const text = await source.open(module, signal);
      return (
        text && {
          pieces: countBytes(text.pieces, received),
          [Symbol.asyncDispose]: () => text[Symbol.asyncDispose](),
        }
      );
    },
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}
