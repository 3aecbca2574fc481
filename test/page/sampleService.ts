import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { quirkSymbols, sampleSymbols, temporaryFolder } from "../support/service.ts";
import { startProcess } from "../support/serviceProcess.ts";
import { xul, xulSymFile } from "./sampleCaptures.ts";

/** A service in its own process, with the symbols of the sample captures and of the fixtures. */
export async function startSampleService(env: Record<string, string> = {}) {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await temporaryFolder());
  const symbols = join(folder.path, "symbols");
  const place = join(symbols, xul.debugFilename, xul.debugId);
  await mkdir(place, { recursive: true });
  await writeFile(join(place, `${xul.debugFilename}.sym`), xulSymFile);
  const service = starting.use(
    await startProcess({
      ELIOT_SYMBOLS_URLS: [pathToFileURL(symbols).href, sampleSymbols, quirkSymbols].join(","),
      ELIOT_SYMBOLS_CACHE_DIR: join(folder.path, "cache"),
      ...env,
    }),
  );
  const running = starting.move();
  return {
    url: service.url,
    stop: () => service[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
