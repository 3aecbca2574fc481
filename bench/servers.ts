import { request } from "undici";
import { startChild, type Child } from "./child.ts";

/** A line that is an address or, in the service's log, says so. */
const address = /(?:^|listening on )(http:\/\/127\.0\.0\.1:[0-9]+)/m;

function file(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

/** A running service of either kind. */
export interface Service extends Child {
  /** The answer to a request's body. */
  post(body: string): Promise<string>;
}

export interface ServiceOptions {
  /** The symbol server to download from. */
  symbols: string;
  /** Its folder of symcaches. */
  folder: string;
}

/** Starts tseliot. `environment`: settings beside those of the options. */
export async function startTseliot(
  { symbols, folder }: ServiceOptions,
  environment: Record<string, string> = {},
): Promise<Service> {
  return posting(
    await startChild(
      process.execPath,
      ["--import", file("eventLoopDelay.ts"), file("../src/main.ts")],
      address,
      {
        // As `npm start` and the image have it.
        MALLOC_ARENA_MAX: "2",
        NODE_COMPILE_CACHE: file("../node_modules/.cache/tseliot"),
        PORT: "0",
        ELIOT_SYMBOLS_URLS: symbols,
        ELIOT_SYMBOLS_CACHE_DIR: folder,
        ELIOT_SYMBOLS_CACHE_MAX_SIZE: "8gb",
        ...environment,
      },
    ),
  );
}

/** Starts the service that does with native Symbolic what Eliot does. */
export async function startNative(
  python: string,
  { symbols, folder }: ServiceOptions,
  processes = 1,
): Promise<Service> {
  return posting(
    await startChild(python, [file("native.py"), "serve", symbols, folder, String(processes)], address),
  );
}

/** Starts a symbol server on a folder and gives its address. */
export async function startSymbolServer(folder: string): Promise<{ address: string } & AsyncDisposable> {
  const child = await startChild(process.execPath, [file("symbolServer.ts"), folder], address);
  return { address: child.ready[1] ?? "", [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

function posting(child: Child): Service {
  const url = `${child.ready[1]}/symbolicate/v5`;
  return {
    ...child,
    async post(body) {
      const { statusCode, body: answer } = await request(url, { method: "POST", body, ...patience });
      const text = await answer.text();
      if (statusCode !== 200) throw new Error(`${statusCode}: ${text.slice(0, 1000)}`);
      return text;
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Native Symbolic needs minutes for the largest files. */
const patience = { headersTimeout: 1_800_000, bodyTimeout: 1_800_000 };
