import { setTimeout } from "node:timers/promises";
import { Random } from "../support/scale.ts";
import { Client, newAgent, type ClientParts } from "./client.ts";

/** Milliseconds that a client rests between two things it does, and that pass between two crowds, at most. */
const longestRest = 60;
const longestRestOfCrowds = 40_000;

/** Lets so many clients of all kinds ask until `signal` says otherwise; each asks the same for the same seed. */
export async function askOn(
  parts: ClientParts,
  clients: number,
  seed: number,
  signal: AbortSignal,
): Promise<void> {
  const agent = newAgent();
  const goOn = async (random: Random, rest: number, act: (client: Client) => Promise<void>) => {
    const client = new Client(parts, random, agent, signal);
    while (!signal.aborted) {
      await act(client).catch((error: unknown) => parts.counters.isWrong(String(error)));
      await setTimeout(random.below(rest), undefined, { signal }).catch(() => {});
    }
  };
  await Promise.all([
    goOn(new Random(2, seed), longestRestOfCrowds, (client) => client.crowd()),
    ...Array.from({ length: clients }, (_, index) =>
      goOn(new Random(100 + index, seed), longestRest, (client) => client.act()),
    ),
  ]);
  await agent.destroy();
}
