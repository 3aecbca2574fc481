import { byId, element } from "./element.ts";
import { counted } from "../src/captures/numberText.ts";
import { percent, size } from "./figures.ts";
import { getJson, ServiceError } from "./service.ts";

interface Version {
  version?: string;
  commit?: string;
}

interface Cache {
  symcaches: number;
  bytes: number;
  max_bytes: number;
  hits: number;
  misses: number;
}

/** Shows the version of the service and the state of its cache. */
export async function showStatus(): Promise<void> {
  const status = byId("status", HTMLElement);
  try {
    const [{ version, commit }, cache] = await Promise.all([
      getJson<Version>("/__version__"),
      getJson<Cache>("/cache"),
    ]);
    const lookups = cache.hits + cache.misses;
    status.replaceChildren(
      entry("Version", version || "unknown", commit?.slice(0, 8) ?? ""),
      entry("Cache", `${size(cache.bytes)} of ${size(cache.max_bytes)}`, counted(cache.symcaches, "module")),
      entry(
        "Hit rate",
        lookups === 0 ? "–" : percent(cache.hits, lookups),
        `of ${counted(lookups, "lookup")}`,
      ),
    );
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    status.replaceChildren(entry("Status", "unknown", error.message));
  }
}

function entry(term: string, value: string, detail: string): HTMLElement {
  return element("div", {}, element("dt", {}, term), element("dd", {}, value), element("dd", {}, detail));
}
