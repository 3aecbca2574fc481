import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { noBrowser, visit } from "./browser.ts";
import { useBrowserAndService } from "./browserAndService.ts";
import { crashPing, processedProfile, xul } from "./sampleCaptures.ts";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const phone = { width: 360, height: 740 };
const desktop = { width: 1280, height: 900 };

/** Brings the page into each of its states. */
const states: Record<string, (page: Page) => Promise<unknown>> = {
  empty: async () => {},
  async "an error"(page) {
    await page.locator("#text").fill("{".repeat(100));
    await page.getByRole("button", { name: "Symbolicate" }).click();
    await page.locator("#text[aria-invalid]").waitFor();
  },
  async "a crash"(page) {
    await symbolicate(page, crashPing);
    await page.locator(".thread summary").first().click();
    await page.locator(".thread li").first().waitFor();
  },
  "a profile": (page) => symbolicate(page, processedProfile),
  "a request of long names": (page) =>
    symbolicate(page, {
      memoryMap: [
        [xul.debugFilename, xul.debugId],
        ["n".repeat(255), "A".repeat(64)],
        ["name-long.so", "000000000000000000000000000000270"],
      ],
      stacks: [
        [
          [0, 0x1010],
          [1, 1],
          [2, 0x1010],
        ],
      ],
    }),
};

describe("accessibility of the page", { skip: noBrowser }, () => {
  const used = useBrowserAndService();

  for (const [state, reach] of Object.entries(states))
    test(`has no axe violations and no horizontal scrolling: ${state}`, async () => {
      await using visited = await visit(used.browser, used.service.url);
      const { page } = visited;
      await page.evaluate(axe);
      await reach(page);
      for (const colorScheme of ["light", "dark"] as const)
        for (const viewport of [phone, desktop]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize(viewport);
          const appearance = `${colorScheme}, ${viewport.width} pixels wide`;
          const { violations } = await page.evaluate<AxeResults>("axe.run({ resultTypes: ['violations'] })");
          assert.deepEqual(
            violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
            [],
            appearance,
          );
          const width = await page.evaluate<number>("document.documentElement.scrollWidth");
          assert.ok(width <= viewport.width, `${appearance}: the content is ${width} pixels wide`);
        }
    });

  test("follows the preferred color scheme", async () => {
    await using visited = await visit(used.browser, used.service.url, { colorScheme: "light" });
    const { page } = visited;
    const background = () => page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    assert.equal(await background(), "rgb(249, 249, 251)");
    await page.emulateMedia({ colorScheme: "dark" });
    assert.equal(await background(), "rgb(28, 27, 34)");
  });

  test("works with the keyboard alone", async () => {
    await using visited = await visit(used.browser, used.service.url);
    const { page } = visited;
    const { keyboard } = page;
    const focused = async () => {
      const focus = page.locator(":focus");
      return (await focus.getAttribute("id")) ?? (await focus.textContent())?.trim();
    };
    /** Tabs until the focus is on something. */
    const tabTo = async (wanted: string) => {
      for (let tabs = 0; tabs < 40 && (await focused()) !== wanted; tabs++) await keyboard.press("Tab");
      assert.equal(await focused(), wanted);
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      assert.equal(outline, "solid", `${wanted} shows that it has the focus`);
    };
    const order = [];
    for (let tabs = 0; tabs < 7; tabs++) {
      await keyboard.press("Tab");
      order.push(await focused());
    }
    assert.deepEqual(order, [
      "text",
      "Symbolicate",
      "choose",
      "debug-filename",
      "debug-id",
      "offsets",
      "Look up",
    ]);

    await page.locator("#text").focus();
    await keyboard.insertText(JSON.stringify(crashPing));
    await keyboard.press("Control+Enter");
    await page.locator("#result-heading:focus").waitFor();

    await tabTo("Text");
    await keyboard.press("Enter");
    await page.getByText("Copied as Text").waitFor();
    await tabTo("Thread 01 frame");
    await keyboard.press("Space");
    await page.locator(".thread").first().locator("li").waitFor();
    await tabTo("dom/base/Element.cpp:1588");

    for (const [id, text] of [
      ["debug-filename", xul.debugFilename],
      ["debug-id", xul.debugId],
      ["offsets", "0x2020"],
    ] as const) {
      await page.locator(`#${id}`).focus();
      await keyboard.type(text);
    }
    await keyboard.press("Enter");
    await page.locator("#result h2", { hasText: "Request" }).waitFor();
    assert.equal(await focused(), "result-heading");
  });

  test("announces progress, errors and copies to screen readers", async () => {
    await using visited = await visit(used.browser, used.service.url);
    const { page } = visited;
    assert.match(await page.locator("main").ariaSnapshot(), /- status$/);
    await states["an error"]?.(page);
    assert.match(await page.locator("#paste").ariaSnapshot(), /- alert: "?This is not JSON/);
    await symbolicate(page, crashPing);
    const snapshot = await page.locator("#result").ariaSnapshot();
    for (const part of [
      /^- region "Crash ping"/m,
      /- heading "Crash ping" \[level=2\]/,
      /- group "Copy open threads"/,
      /- heading "Thread 1" \[level=4\]/,
      /- heading "Modules" \[level=3\]/,
      /- link "dom\/base\/Element\.cpp:1588 on hg"/,
    ])
      assert.match(snapshot, part);
  });
});

async function symbolicate(page: Page, value: unknown): Promise<void> {
  await page.locator("#text").fill(JSON.stringify(value));
  await page.getByRole("button", { name: "Symbolicate" }).click();
  await page.locator("#result:not([hidden])").waitFor();
}
