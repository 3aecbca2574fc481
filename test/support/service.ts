import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config/readConfig.ts";
import { startService, type ServiceOptions, type Service } from "../../src/service.ts";
import { checkFetchedResponses } from "./checkResponse.ts";
import { environment } from "./environment.ts";

checkFetchedResponses();

export const fixtures = new URL("../fixtures/conformance/", import.meta.url);
export const sampleSymbols = new URL("symbols", fixtures).href;
export const quirkSymbols = new URL("quirks/symbols", fixtures).href;

export interface RunningService extends AsyncDisposable {
  url: string;
  /** Lines of its log so far, parsed. */
  log: LogLine[];
  post(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** Symbolicates one bare job by v5, with the Debug header. */
  symbolicate(job: object): Promise<V5Response>;
}

export interface LogLine {
  Timestamp: number;
  Type: string;
  Severity: number;
  Fields: Record<string, unknown>;
}

export interface V5Response {
  results: { stacks: Record<string, unknown>[][]; found_modules: Record<string, boolean | null> }[];
  debug: { modules: { status_per_module: Record<string, { status: string; reason?: string }> } };
}

/** A folder that is gone when the test is over. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "tseliot-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A service of its own on a free port of loopback: the sample symbols and an empty folder, unless `env` says otherwise. */
export async function startTestService(
  env: Record<string, string> = {},
  options: ServiceOptions = {},
): Promise<RunningService> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await temporaryFolder());
  const log: LogLine[] = [];
  const variables = {
    PORT: "0",
    ELIOT_SYMBOLS_URLS: `${sampleSymbols},${quirkSymbols}`,
    ELIOT_SYMBOLS_CACHE_DIR: folder.path,
    ...environment(env),
  };
  const config = readConfig(variables, options.memoryLimit);
  const logDestination = { write: (line: string) => void log.push(JSON.parse(line) as LogLine) };
  const service: Service = starting.use(
    await startService(config, { logDestination, maxWarmUpMs: 0, ...options }),
  );
  const running = starting.move();
  const url = `http://127.0.0.1:${service.port}`;
  const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(url + path, { method: "POST", body, headers });
  return {
    url,
    log,
    post,
    async symbolicate(job) {
      const response = await post("/symbolicate/v5", JSON.stringify(job), { debug: "true" });
      return (await response.json()) as V5Response;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
