/**
 * How fast things are, all that the simulation takes as given. Seconds, and bytes a second; sizes are those of
 * symcaches unless it says otherwise.
 */
export interface Speeds {
  /** What a request takes that finds all in the folder. */
  lookup: number;
  source: { latency: number; sentBytes: number };
  /** Taking a sym file's text as it comes, gzipped, until its symcache can be read. */
  conversion: number;
  store: {
    latency: number;
    /** Of what is sent, either way. */
    sentBytes: number;
    /** Undoing the compression and writing. */
    unpacked: number;
    /** Compressing. */
    packed: number;
  };
  /** Nothing takes the same time twice: the share of it that it may take more or less. */
  spread: number;
}

/** docs/performance.md: 569 MB of text make a symcache of 472 MB. */
const textOfSymcache = 569 / 472;
/** gzip at its default, of the text that bench/symFile.ts writes. */
const gzippedOfText = 0.34;
/** Bytes in the store. */
const packedOfSymcache = 0.385;

/** Bytes of a sym file as a symbol server sends it. */
export const sentBySource = (symcache: number) => symcache * textOfSymcache * gzippedOfText;

/** Bytes of a symcache as the store has it. */
export const keptInStore = (symcache: number) => symcache * packedOfSymcache;

export const measured: Speeds = {
  // docs/performance.md, later requests of 500 frames.
  lookup: 0.003,
  // Not measured, for there is no such server here: one that is far away and redirects.
  source: { latency: 0.25, sentBytes: 50e6 },
  // docs/performance.md, first request with a gzipped download: 472 MB in 1.85 s.
  conversion: 255e6,
  store: { latency: 0.03, sentBytes: 200e6, unpacked: 858e6, packed: 200e6 },
  spread: 0.25,
};

/** Seconds to download and convert, which overlap, once the symbol server has answered. */
export function convertingTime(symcache: number, { source, conversion }: Speeds): number {
  return Math.max(sentBySource(symcache) / source.sentBytes, symcache / conversion);
}

/** Seconds to have it from the store. */
export function fetchingTime(symcache: number, { store }: Speeds): number {
  return store.latency + Math.max(keptInStore(symcache) / store.sentBytes, symcache / store.unpacked);
}

/** Seconds from a conversion's end until the store has the symcache. */
export function storingTime(symcache: number, { store }: Speeds): number {
  return store.latency + Math.max(keptInStore(symcache) / store.sentBytes, symcache / store.packed);
}
