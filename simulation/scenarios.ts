import { fewestRequests, firstModule, type Balancer } from "./balancers.ts";
import { simulate, type Result } from "./fleet.ts";
import { crashPings, generateTrace } from "./trace.ts";

/** How the instances of a fleet avoid repeating work. */
interface Strategy {
  /** The load balancer hashes the first module; otherwise it chooses the instance with the fewest requests. */
  hashing: boolean;
  /** There is a shared cache. */
  sharing: boolean;
}

const strategies: Strategy[] = [
  { hashing: false, sharing: false },
  { hashing: true, sharing: false },
  { hashing: false, sharing: true },
  { hashing: true, sharing: true },
];
export const fleetSizes = [2, 4, 8, 16, 32, 64];
const folderGigabytes = [20, 200];
export const usual = { instances: 8, folderGigabytes: 50 };

const trace = generateTrace(crashPings, "1");

export interface Run extends Strategy {
  instances: number;
  folderGigabytes: number;
  result: Result;
}

/** Cache folders and the shared cache, if any, are empty at first. */
function runFleet(strategy: Strategy, fleet: typeof usual): Run {
  const { instances } = fleet;
  const balancer: Balancer = strategy.hashing ? firstModule(instances) : fewestRequests();
  const result = simulate(trace, {
    instances,
    folderBytes: fleet.folderGigabytes * 1e9,
    balancer,
    store: strategy.sharing ? new Set() : undefined,
  });
  return { ...strategy, ...fleet, result };
}

export const runFleets = () =>
  fleetSizes.flatMap((instances) =>
    strategies.map((strategy) => runFleet(strategy, { ...usual, instances })),
  );

export const runFolders = () =>
  folderGigabytes.flatMap((gigabytes) =>
    strategies
      .filter(({ hashing }) => !hashing)
      .map((strategy) => runFleet(strategy, { ...usual, folderGigabytes: gigabytes })),
  );

/** Empty cache folders, and a shared cache that has every module. */
export function runWithFullStore(): Result {
  const store = new Set(trace.sizes.keys());
  return simulate(trace, {
    instances: usual.instances,
    folderBytes: usual.folderGigabytes * 1e9,
    balancer: fewestRequests(),
    store,
  });
}
