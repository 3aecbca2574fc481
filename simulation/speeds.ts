/** The simulation's input. Latencies in seconds, rates in bytes of a symcache per second unless noted otherwise. */
export interface Speeds {
  /** Seconds for a request whose modules are all in the cache folder. */
  lookup: number;
  /** `rate`: bytes of the gzipped sym file. */
  source: { latency: number; rate: number };
  /** From gzipped text to a readable symcache. */
  conversion: number;
  /** `rate`: bytes of the packed symcache, in either direction. */
  store: { latency: number; rate: number; unpack: number; pack: number };
  /** Each duration varies by up to this share. */
  jitter: number;
}

/** docs/performance.md: 569 MB of text become a symcache of 472 MB. */
const textRatio = 569 / 472;
/** Of gzip's default level, for the text of bench/symFile.ts. */
const gzipRatio = 0.34;
/** docs/performance.md: a symcache of 472 MB is packed into 113 MB. */
const packedRatio = 113 / 472;

/** Bytes of a sym file as a symbol server sends it. */
export const downloadBytes = (symcacheBytes: number) => symcacheBytes * textRatio * gzipRatio;

/** Bytes of a symcache in the shared cache. */
export const packedBytes = (symcacheBytes: number) => symcacheBytes * packedRatio;

export const measured: Speeds = {
  // docs/performance.md, later requests of 500 frames.
  lookup: 0.003,
  // An assumption, not a measurement: a distant server that redirects.
  source: { latency: 0.25, rate: 50e6 },
  // First request with a gzipped download: 472 MB in 1.85 s on the AMD machine of docs/performance.md.
  conversion: 255e6,
  store: {
    // An assumption: a store in the same data centre.
    latency: 0.03,
    rate: 200e6,
    // docs/performance.md: a fetch is 2.39 times as fast as converting, which takes 1.37 s for 472 MB.
    unpack: 824e6,
    // Packing takes 0.65 times the CPU time of converting, measured with a sym file of 100 MB.
    pack: 530e6,
  },
  jitter: 0.25,
};

/** Download and conversion overlap; the symbol server's latency is not included. */
export function conversionSeconds(symcacheBytes: number, { source, conversion }: Speeds): number {
  return Math.max(downloadBytes(symcacheBytes) / source.rate, symcacheBytes / conversion);
}

/** Seconds to fetch a symcache from the shared cache. */
export function fetchSeconds(symcacheBytes: number, { store }: Speeds): number {
  return store.latency + Math.max(packedBytes(symcacheBytes) / store.rate, symcacheBytes / store.unpack);
}

/** Seconds from the end of a conversion until the shared cache has the symcache. */
export function uploadSeconds(symcacheBytes: number, { store }: Speeds): number {
  return store.latency + Math.max(packedBytes(symcacheBytes) / store.rate, symcacheBytes / store.pack);
}
