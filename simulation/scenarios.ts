import { fewestRequests, firstModule, inTurn, type Balancer } from "./balancers.ts";
import { simulate, type Figures } from "./fleet.ts";
import { loopback } from "./speeds.ts";
import { crashPings, makeTrace } from "./trace.ts";

/** How the instances of a fleet help each other. */
export interface Way {
  hashed: boolean;
  stored: boolean;
}

export const ways: Way[] = [
  { hashed: false, stored: false },
  { hashed: true, stored: false },
  { hashed: false, stored: true },
  { hashed: true, stored: true },
];
export const fleetSizes = [2, 4, 8, 16, 32, 64];
export const folderGigabytes = [20, 50, 100, 200];
/** Where something else is varied. */
export const usual = { instances: 8, folderGigabytes: 50 };

const trace = makeTrace(crashPings, "1");
const balancerOf = ({ hashed }: Way, instances: number): Balancer =>
  hashed ? firstModule(instances) : fewestRequests();

export interface Run extends Way {
  instances: number;
  folderGigabytes: number;
  figures: Figures;
}

/** A fleet whose folders, and whose store where it has one, are empty. */
function runFleet(way: Way, fleet: typeof usual): Run {
  const { instances } = fleet;
  const figures = simulate(trace, {
    instances,
    folderBytes: fleet.folderGigabytes * 1e9,
    balancer: balancerOf(way, instances),
    store: way.stored ? new Set() : undefined,
  });
  return { ...way, ...fleet, figures };
}

export const runFleets = () =>
  fleetSizes.flatMap((instances) => ways.map((way) => runFleet(way, { ...usual, instances })));

export const runFolders = () =>
  folderGigabytes.flatMap((size) => ways.map((way) => runFleet(way, { ...usual, folderGigabytes: size })));

/** Instances that begin with empty folders beside a store which has all. */
export function runWithFullStore(): Figures {
  const store = new Set(trace.sizes.keys());
  return simulate(trace, {
    instances: usual.instances,
    folderBytes: usual.folderGigabytes * 1e9,
    balancer: fewestRequests(),
    store,
  });
}

/** Each module of some asked of each instance of three with a store, one instance after the other so many seconds apart. */
export function runThreeInstances(sizes: number[], apart: number): Figures {
  const instances = 3;
  const requests = sizes.flatMap((_, module) =>
    Array.from({ length: instances }, (__, turn) => ({ at: turn * apart, modules: [module] })),
  );
  return simulate(
    { sizes, requests },
    { instances, folderBytes: 1e12, balancer: inTurn(), store: new Set(), speeds: loopback },
  );
}
