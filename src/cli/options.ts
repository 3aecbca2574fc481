import { Option } from "@commander-js/extra-typings";

/** The process's environment: commands heed the service's variables. */
export type Environment = Record<string, string | undefined>;

export function symbolsOption() {
  return new Option(
    "-s, --symbols <sources>",
    "where sym files come from, in order, comma-separated: folders, https:// or http:// (default: $ELIOT_SYMBOLS_URLS or https://symbols.mozilla.org/try/)",
  );
}

export function cacheOption() {
  return new Option(
    "-c, --cache <folder>",
    "folder of symcaches (default: $ELIOT_SYMBOLS_CACHE_DIR or /tmp/cache)",
  );
}

export function portOption() {
  return new Option("-p, --port <number>", "port to listen on (default: $PORT or 8000)");
}

export const requestsHelp =
  "Requests are JSON files, gzipped or not, of one request each or of one on each line, and folders of them; - is " +
  'standard input. {"version": 4, …} is asked of v4, all else of v5.';
