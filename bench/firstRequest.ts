import type { Bench } from "./bench.ts";
import { checkResponse } from "./frames.ts";
import { time, type Measured } from "./measure.ts";
import { startNative, startTseliot, type Service } from "./servers.ts";

/** Lets a new tseliot with an empty folder answer one request. */
export async function firstHere(
  bench: Bench,
  symbols: string,
  body: string,
  environment: Record<string, string> = {},
): Promise<Measured> {
  await using folder = await bench.newFolder();
  await using service = await startTseliot({ symbols, folder: folder.path }, environment);
  await service.eventLoopDelay();
  const measured = await answered(service, body);
  const { p99, most } = await service.eventLoopDelay();
  return { ...measured, p99, most };
}

/** Lets a new native service with an empty folder answer one request. */
export async function firstNative(bench: Bench, symbols: string, body: string): Promise<Measured> {
  if (!bench.python) return {};
  await using folder = await bench.newFolder();
  await using service = await startNative(bench.python, { symbols, folder: folder.path });
  return await answered(service, body);
}

/** Time and memory of a service that has answered one request. */
export async function answered(service: Service, body: string): Promise<Measured> {
  const milliseconds = await time(async () => checkResponse(await service.post(body), body));
  return { milliseconds, megabytes: service.peakMegabytes() };
}
