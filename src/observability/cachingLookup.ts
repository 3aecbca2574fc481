import { lookup } from "node:dns";
import { isIP } from "node:net";

type Done = (error: Error | null, address: string, family: number) => void;

const ttlMs = 10_000;
/** Datagrams that wait for the address; more fail at once. */
const maxWaiting = 1000;

/**
 * A DNS lookup for a datagram socket, which asks for each datagram. Caches failures too, unlike hot-shots' own cache: a
 * failing lookup blocks one of the few threads that also do file I/O, for seconds.
 */
export function createCachingLookup(): (hostname: string, family: unknown, done: Done) => void {
  let cached: { at: number; error: Error | null; address: string } | undefined;
  let waiting: Done[] | undefined;
  return (hostname, _family, done) => {
    if (isIP(hostname)) return done(null, hostname, 4);
    if (cached && performance.now() - cached.at < ttlMs)
      return void setImmediate(done, cached.error, cached.address, 4);
    if (waiting) {
      if (waiting.length < maxWaiting) waiting.push(done);
      else setImmediate(done, new Error("statsd's address is not known yet"), "", 4);
      return;
    }
    waiting = [done];
    lookup(hostname, 4, (error, address) => {
      cached = { at: performance.now(), error, address };
      const callbacks = waiting ?? [];
      waiting = undefined;
      for (const callback of callbacks) callback(error, address, 4);
    });
  };
}
