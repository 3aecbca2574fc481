import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Chromium from the variable CHROMIUM or from PATH. */
const executablePath =
  process.env["CHROMIUM"] ??
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));

/** For `skip`: false, or the reason to skip the test. */
export const noBrowser =
  executablePath === undefined &&
  "no Chromium in PATH (Debian: apt-get install chromium), and CHROMIUM doesn't name one";

/** A browser that resolves `eliot.test` to loopback. Unlike 127.0.0.1 it is not a secure context. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath ?? "",
    args: [
      // The sandbox does not work for root, which CI runs as.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      "--host-resolver-rules=MAP eliot.test 127.0.0.1",
    ],
  });
}

export interface Visit extends AsyncDisposable {
  page: Page;
  /** Policy violations, errors, and requests that failed or went to another origin. */
  complaints: string[];
}

/** Opens the page of a service. Any complaint of the browser fails the test at the end. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) complaints.push(`asks for ${request.url()}`);
  });
  await page.goto(url);
  await page.locator("#status dt").first().waitFor();
  return {
    page,
    complaints,
    async [Symbol.asyncDispose]() {
      await context.close();
      assert.deepEqual(complaints, []);
    },
  };
}
