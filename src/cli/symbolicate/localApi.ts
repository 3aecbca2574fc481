import { printable } from "../../captures/printable.ts";
import type { V5Response } from "../../captures/response.ts";
import type { Config } from "../../config/readConfig.ts";
import { startEngine } from "../../engine.ts";
import { createLogs } from "../../observability/logging.ts";
import { Metrics } from "../../observability/metrics.ts";
import { abortable } from "../../async/abortable.ts";
import { createSource } from "../../sources/createSource.ts";
import type { Source } from "../../sources/source.ts";
import { countBytes } from "../input.ts";
import type { Api } from "./api.ts";
import { symbolicateRequest } from "./symbolicateRequest.ts";

/** The API of an engine in this process, which calls `received` with the size of each piece of a sym file. */
export async function startLocalApi(
  config: Config,
  received: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Api> {
  await using starting = new AsyncDisposableStack();
  const metrics = starting.use(new Metrics(config.observability, { mock: true }));
  const { app: log } = await createLogs(
    { logLevel: "ERROR", localDevelopment: false },
    { write: errorPrinter(signal) },
  );
  const sources = config.sources.urls.map((address) =>
    counted(starting.use(createSource(address, config.sources)), received),
  );
  // The command is the only client, so its downloads may queue without a limit.
  const unlimited = {
    ...config,
    sources: { ...config.sources, maxQueuedDownloads: Number.MAX_SAFE_INTEGER },
  };
  const { resolver } = starting.use(
    await startEngine({ config: unlimited, sources, metrics, log, isCrowded: () => false }),
  );
  const running = starting.move();
  return {
    v5: (body) => abortable(symbolicateRequest("v5", body, resolver) as Promise<V5Response>, signal),
    v4: (body) => abortable(symbolicateRequest("v4", body, resolver), signal),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Prints each error that the engine logs, such as an unwritable cache folder, once. Ignores errors after an interruption. */
function errorPrinter(signal: AbortSignal): (line: string) => void {
  const printed = new Set<string>();
  return (line) => {
    if (signal.aborted) return;
    const { Fields: fields } = JSON.parse(line) as { Fields: { msg: string; error?: string } };
    if (printed.size < printed.add(fields.msg).size)
      process.stderr.write(printable(`tseliot: ${fields.msg}: ${fields.error ?? ""}\n`));
  };
}

/** Makes a source count the text of its sym files. */
function counted(source: Source, received: (bytes: number) => void): Source {
  const open = source.open.bind(source);
  return Object.assign(source, {
    async open(...parameters: Parameters<Source["open"]>) {
      const text = await open(...parameters);
      return text && Object.assign(text, { pieces: countBytes(text.pieces, received) });
    },
  });
}
