import { Random } from "../loadTesting/makeRequests/random.ts";
import type { Request } from "./trace.ts";

/** Returns the index of the instance for a request, given the number of requests in flight on each instance. */
export type Balancer = (request: Request, inFlight: number[]) => number;

/** Points per instance on the ring of consistent hashing, as in nginx. */
const pointsPerInstance = 160;

/** nginx's `least_conn`, HAProxy's `leastconn`; round robin among equals. */
export function fewestRequests(): Balancer {
  let next = 0;
  return (_, inFlight) => {
    next++;
    let chosen = next % inFlight.length;
    for (let step = 1; step < inFlight.length; step++) {
      const other = (next + step) % inFlight.length;
      if (inFlight[other]! < inFlight[chosen]!) chosen = other;
    }
    return chosen;
  };
}

/** Consistent hashing by the request's first module. */
export function firstModule(instances: number): Balancer {
  const hash = (key: string) => new Random(key).share();
  const ring = Array.from({ length: instances * pointsPerInstance }, (_, point) => {
    const instance = Math.floor(point / pointsPerInstance);
    return { position: hash(`point ${point % pointsPerInstance} of instance ${instance}`), instance };
  }).toSorted((a, b) => a.position - b.position);
  const choices = new Map<number, number>();
  return ({ modules: [first = 0] }) => {
    let choice = choices.get(first);
    if (choice === undefined) {
      const position = hash(`module ${first}`);
      choice = (ring.find((point) => point.position >= position) ?? ring[0]!).instance;
      choices.set(first, choice);
    }
    return choice;
  };
}

export function roundRobin(): Balancer {
  let next = 0;
  return (_, inFlight) => next++ % inFlight.length;
}
