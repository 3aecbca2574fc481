import type { Bench } from "./bench.ts";
import { checkResponse } from "./frames.ts";
import { time, type Measured } from "./measure.ts";
import { startNative, startTseliot, type Service } from "./servers.ts";

/** Measures the first request to a tseliot whose cache folder is empty. */
export async function firstTseliotRequest(
  bench: Bench,
  symbols: string,
  body: string,
  environment: Record<string, string> = {},
): Promise<Measured> {
  await using folder = await bench.newFolder();
  await using service = await startTseliot({ symbols, folder: folder.path }, environment);
  await service.eventLoopDelay();
  const measured = await measureRequest(service, body);
  const { p99, max } = await service.eventLoopDelay();
  return { ...measured, p99, max };
}

/** Measures the first request to a native service whose cache folder is empty. */
export async function firstNativeRequest(bench: Bench, symbols: string, body: string): Promise<Measured> {
  if (!bench.python) return {};
  await using folder = await bench.newFolder();
  await using service = await startNative(bench.python, { symbols, folder: folder.path });
  return await measureRequest(service, body);
}

/** The response time, and the peak memory of the service afterwards. */
export async function measureRequest(service: Service, body: string): Promise<Measured> {
  const milliseconds = await time(async () => checkResponse(await service.post(body), body));
  return { milliseconds, megabytes: service.peakMegabytes() };
}
