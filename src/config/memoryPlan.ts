import type { Config } from "./readConfig.ts";

/** Of an idle service. */
const idleBytes = 260e6;
/** Symcaches in transit to and from the shared cache. */
const sharedCacheBytes = 350e6;
/** For garbage that is not collected yet, buffers and fragmentation. */
const overheadFactor = 1.5;
/** Enough for sym files of 700 MB, such as Firefox's. With less for each, fewer converters run. */
const usefulConverterBytes = 600e6;
const minConverterBytes = 32e6;
/** A body of the maximum size, its parsed jobs and its results. */
const bodiesAtOnce = 3;
const minLookupBytes = 16e6;

type Planned = Pick<Config, "server" | "lookup" | "conversion"> & {
  sharedCache: { bucket: unknown } | undefined;
};

/** The memory in bytes that the service may take with these settings. */
export function plannedMemory(config: Planned): number {
  const { server, lookup, conversion } = config;
  const conversions = conversion.threads * conversion.maxMemoryBytes;
  return atRest(config) + overheadFactor * (server.maxBodiesBytes + lookup.memoryBytes + conversions);
}

function atRest({ sharedCache }: Planned): number {
  return idleBytes + (sharedCache?.bucket ? sharedCacheBytes : 0);
}

/**
 * Lowers defaults so that the planned memory fits into `limitBytes`, if it can: a quarter each for bodies and for lookups, and the
 * rest for conversions. `isSet` tells which variables the operator has set; their values stay.
 */
export function fitMemory<C extends Planned>(
  config: C,
  isSet: (variable: string) => boolean,
  limitBytes: number,
): C {
  const { server, lookup, conversion } = config;
  const bodiesAreSet = isSet("ELIOT_MAX_BODIES_SIZE");
  const lookupIsSet = isSet("ELIOT_LOOKUP_MEMORY");
  const threadsAreSet = isSet("ELIOT_CONVERTERS");
  const converterIsSet = isSet("ELIOT_CONVERTER_MEMORY");
  const conversionsAreSet = threadsAreSet && converterIsSet;

  const available = (limitBytes - atRest(config)) / overheadFactor;
  const set =
    (bodiesAreSet ? server.maxBodiesBytes : 0) +
    (lookupIsSet ? lookup.memoryBytes : 0) +
    (conversionsAreSet ? conversion.threads * conversion.maxMemoryBytes : 0);
  const shares = (bodiesAreSet ? 0 : 1) + (lookupIsSet ? 0 : 1) + (conversionsAreSet ? 0 : 2);
  const share = (available - set) / shares;

  const maxBodiesBytes = bodiesAreSet
    ? server.maxBodiesBytes
    : between(bodiesAtOnce * server.maxBodyBytes, share, server.maxBodiesBytes);
  const memoryBytes = lookupIsSet ? lookup.memoryBytes : between(minLookupBytes, share, lookup.memoryBytes);
  const conversions = available - maxBodiesBytes - memoryBytes;
  const perThread = converterIsSet ? conversion.maxMemoryBytes : usefulConverterBytes;
  const threads = threadsAreSet
    ? conversion.threads
    : Math.floor(between(1, conversions / perThread, conversion.threads));
  const maxMemoryBytes = converterIsSet
    ? conversion.maxMemoryBytes
    : between(minConverterBytes, conversions / threads, conversion.maxMemoryBytes);
  return {
    ...config,
    server: { ...server, maxBodiesBytes },
    lookup: { ...lookup, memoryBytes },
    conversion: { ...conversion, threads, maxMemoryBytes },
  };
}

function between(minimum: number, value: number, maximum: number): number {
  return Math.floor(Math.min(Math.max(minimum, value), maximum));
}
