import { after, before } from "node:test";
import type { Browser } from "playwright-core";
import { startBrowser } from "./browser.ts";
import { startSampleService } from "./sampleService.ts";

/** Starts a browser and a service before the tests of the enclosing describe(), and stops them afterwards. */
export function useBrowserAndService() {
  const used: { browser?: Browser; service?: Awaited<ReturnType<typeof startSampleService>> } = {};
  before(async () => {
    [used.browser, used.service] = await Promise.all([startBrowser(), startSampleService()]);
  });
  after(async () => {
    await used.browser?.close();
    await used.service?.[Symbol.asyncDispose]();
  });
  return used as Required<typeof used>;
}
