import { Random } from "../src/cli/makeRequests/random.ts";
import type { Request } from "./trace.ts";

/** Chooses one of the instances, each given by how many requests it has under way. */
export type Balancer = (request: Request, underWay: number[]) => number;

/** On the ring of consistent hashing, for each instance: what nginx takes. */
const points = 160;

/** The instance with the fewest requests under way, in turn where several have: nginx's and HAProxy's `leastconn`. */
export function fewestRequests(): Balancer {
  let turn = 0;
  return (_, underWay) => {
    turn++;
    let chosen = turn % underWay.length;
    for (let step = 1; step < underWay.length; step++) {
      const other = (turn + step) % underWay.length;
      if (underWay[other]! < underWay[chosen]!) chosen = other;
    }
    return chosen;
  };
}

/** Consistent hashing of the request's first module. */
export function firstModule(instances: number): Balancer {
  const hash = (what: string) => new Random(what).share();
  const ring = Array.from({ length: instances * points }, (_, number) => {
    const instance = Math.floor(number / points);
    return { place: hash(`point ${number % points} of instance ${instance}`), instance };
  }).toSorted((one, other) => one.place - other.place);
  const choices = new Map<number, number>();
  return ({ modules: [first = 0] }) => {
    let choice = choices.get(first);
    if (choice === undefined) {
      const place = hash(`module ${first}`);
      choice = (ring.find((point) => point.place >= place) ?? ring[0]!).instance;
      choices.set(first, choice);
    }
    return choice;
  };
}

/** One after the other. */
export function inTurn(): Balancer {
  let turn = 0;
  return (_, underWay) => turn++ % underWay.length;
}
