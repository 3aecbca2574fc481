import type { RequestHandler } from "express";

/** What the cache holds and how it does, for the page. */
export interface CacheCounts {
  /** Symcaches in the folder, and their bytes. */
  symcaches: number;
  bytes: number;
  /** Lookups since the start, of one module each: those whose symcache was in the folder, and the others. */
  hits: number;
  misses: number;
}

/** Answers `GET /cache`. */
export function cacheReport(counts: () => CacheCounts, maxBytes: number): RequestHandler {
  return (_request, response) => {
    const { symcaches, bytes, hits, misses } = counts();
    response.json({ symcaches, bytes, max_bytes: maxBytes, hits, misses });
  };
}
