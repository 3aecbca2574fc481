import { lookup } from "node:dns";
import { isIP } from "node:net";

type Done = (error: Error | null, address: string, family: number) => void;

/** Milliseconds that an answer, also that there is none, is good for. */
const freshness = 10_000;
/** What waits for an answer; more fails at once. */
const mostWaiting = 1000;

/**
 * Resolves a name for a datagram socket, which asks anew for each datagram: once in ten seconds at most. A name without an
 * answer takes a thread of the few that also read and write files for seconds each time.
 */
export function rememberingLookup(): (hostname: string, family: unknown, done: Done) => void {
  let known: { at: number; error: Error | null; address: string } | undefined;
  let waiting: Done[] | undefined;
  return (hostname, _family, done) => {
    if (isIP(hostname)) return done(null, hostname, 4);
    if (known && performance.now() - known.at < freshness)
      return void setImmediate(done, known.error, known.address, 4);
    if (waiting) {
      if (waiting.length < mostWaiting) waiting.push(done);
      else setImmediate(done, new Error("statsd's address is not known yet"), "", 4);
      return;
    }
    waiting = [done];
    lookup(hostname, 4, (error, address) => {
      known = { at: performance.now(), error, address };
      const told = waiting ?? [];
      waiting = undefined;
      for (const tell of told) tell(error, address, 4);
    });
  };
}
