import { request } from "undici";
import { startChild, type Child } from "./child.ts";

/** Printed by each server, or logged by tseliot. */
const address = /(?:^|listening on )(http:\/\/127\.0\.0\.1:[0-9]+)/m;

function file(name: string): string {
  return new URL(name, import.meta.url).pathname;
}

/** A running tseliot or native service. */
export interface Service extends Child {
  /** Sends a v5 request and returns the response's body. */
  post(body: string): Promise<string>;
}

export interface ServiceOptions {
  /** The symbol server to download from. */
  symbols: string;
  /** The cache folder. */
  folder: string;
}

/** `environment` has additional settings. */
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
        // As in `npm start` and the image.
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

/** Starts a service that follows Eliot's steps with native Symbolic. */
export async function startNative(
  python: string,
  { symbols, folder }: ServiceOptions,
  processes = 1,
): Promise<Service> {
  return posting(
    await startChild(python, [file("native.py"), "serve", symbols, folder, String(processes)], address),
  );
}

/** Starts a symbol server for a folder. */
export async function startSymbolServer(folder: string): Promise<{ address: string } & AsyncDisposable> {
  const child = await startChild(process.execPath, [file("symbolServer.ts"), folder], address);
  return { address: child.ready[1] ?? "", [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

function posting(child: Child): Service {
  const url = `${child.ready[1]}/symbolicate/v5`;
  return {
    ...child,
    async post(body) {
      const { statusCode, body: responseBody } = await request(url, { method: "POST", body, ...timeouts });
      const text = await responseBody.text();
      if (statusCode !== 200) throw new Error(`${statusCode}: ${text.slice(0, 1000)}`);
      return text;
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Native Symbolic takes minutes for the largest files. */
const timeouts = { headersTimeout: 1_800_000, bodyTimeout: 1_800_000 };
