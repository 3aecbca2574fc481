/** Retry limits that neither operators nor tests change. */
export const retryPolicy = {
  source: {
    /** The delay after attempt n is random, up to `firstDelayMs` × 2^n and at most `maxDelayMs`. */
    firstDelayMs: 250,
    maxDelayMs: 5_000,
    /** A server that asks for a longer pause is not asked again in this request. */
    maxRetryAfterMs: 10_000,
    /** Each retry takes one token from the source's budget, and each success puts back a fraction of one. */
    retryBudget: 10,
    refillPerSuccess: 0.2,
    failuresToOpenCircuit: 5,
  },
  store: { failuresToOpenCircuit: 3 },
  /** If a converter thread ends for a reason other than the sym file. */
  conversionAttempts: 2,
  /** If a lookup thread ends for a reason other than the lookup. */
  lookupAttempts: 3,
  /** If a symcache is evicted or damaged before it is read; the last attempt keeps it in memory. */
  symcacheAttempts: 3,
  diskTimeoutMs: 5_000,
  /** Until other symcaches are written, if the disk cache has no space for all of them. */
  diskSpaceTimeoutMs: 30_000,
  /** Until a small symcache is flushed; then it is read from its temporary file. */
  flushTimeoutMs: 2_000,
};
