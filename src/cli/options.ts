import { Option } from "@commander-js/extra-typings";

export function symbolsOption() {
  return new Option(
    "-s, --symbols <sources>",
    "sources of sym files in order, comma-separated: folders, .sym files, .zip files with the layout of a symbol server, https:// or http:// URLs (default: $ELIOT_SYMBOLS_URLS or https://symbols.mozilla.org/try/)",
  );
}

export function cacheOption() {
  return new Option(
    "-c, --cache <folder>",
    "symcache folder (default: $ELIOT_SYMBOLS_CACHE_DIR or /tmp/cache)",
  );
}
