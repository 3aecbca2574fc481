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
/** docs/performance.md: the store has 113 MB for a symcache of 472 MB. */
const packedOfSymcache = 113 / 472;

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
  store: {
    // Not measured either: a store in the same data centre.
    latency: 0.03,
    sentBytes: 200e6,
    // docs/performance.md, first request for a module that the shared cache has: 2.39 times as fast as converting, which takes
    // 1.37 s for 472 MB.
    unpacked: 824e6,
    // 0.65 times the processor time of converting, by turns with it on a sym file of 100 MB.
    packed: 530e6,
  },
  spread: 0.25,
};

/** As in test/faults/fleet.test.ts, where one instance was asked after the other for modules of a kilobyte. */
export const loopback: Speeds = {
  ...measured,
  lookup: 0.01,
  source: { latency: 0.015, sentBytes: Infinity },
  store: { ...measured.store, latency: 0.03 },
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
