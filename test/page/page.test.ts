import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { SymbolServer } from "../support/symbolServer.ts";
import { noBrowser, visit } from "./browser.ts";
import { useBrowserAndService } from "./browserAndService.ts";
import * as sample from "./sampleCaptures.ts";
import { startSampleService } from "./sampleService.ts";

const { xul } = sample;
const request = {
  memoryMap: [
    [xul.debugFilename, xul.debugId],
    ["nosuch.so", "AB"],
    ["malformed-func.so", "000000000000000000000000000000440"],
    ["unused.so", "CD"],
  ],
  stacks: [
    [
      [0, 0x1010],
      [1, 0x20],
      [-1, 0x30],
    ],
    [
      [0, 0x3030],
      [2, 0x1010],
    ],
  ],
};

describe("the page", { skip: noBrowser }, () => {
  const used = useBrowserAndService();
  const open = (options?: BrowserContextOptions) => visit(used.browser, used.service.url, options);

  test("shows the stacks of a pasted request, with inlined calls above their function", async () => {
    await using visited = await open();
    const { page } = visited;
    await paste(page, JSON.stringify(request));
    assert.equal(await page.locator("#result h2").textContent(), "Request");
    assert.deepEqual(await stackOf(page, "Stack 0"), [
      "0 mozilla::dom::Element::UnsetAttr(int, nsAtom*, bool) dom/base/Element.cpp:1588 hg inlined",
      "mozilla::dom::Element::SetAttribute(nsTSubstring<char16_t> const&, nsTSubstring<char16_t> const&, nsIPrincipal*, mozilla::ErrorResult&) dom/base/Element.cpp:1602 hg libxul.so + 0x1010",
      "1 no symbol nosuch.so + 0x20",
      "2 no symbol 0x30",
    ]);
    assert.deepEqual(await stackOf(page, "Stack 1"), [
      "0 core::option::Option<T>::unwrap tokio-1.6.1/src/runtime/task/mod.rs:932 inlined",
      "std::panicking::rust_panic_with_hook library/std/src/panicking.rs:612 libxul.so + 0x3030",
      "1 no symbol malformed-func.so + 0x1010",
    ]);
  });

  test("shows the outcome of each module and the reason, failures first", async () => {
    await using visited = await open();
    const { page } = visited;
    await paste(page, JSON.stringify(request));
    assert.equal(await page.getByRole("link", { name: "1 of 3 modules found" }).count(), 1);
    const modules = (await page.locator(".modules li").allInnerTexts()).map((text) => text.split(/\n+/));
    assert.deepEqual(
      modules.map(([, name, what, id]) => [name, what, id]),
      [
        ["malformed-func.so", "failed", "000000000000000000000000000000440"],
        ["nosuch.so", "not found", "AB"],
        ["libxul.so", "found", xul.debugId],
        ["unused.so", "unused", "CD"],
      ],
    );
    const why = modules.map((lines) => lines.at(-1));
    assert.match(why[0] ?? "", /^Malformed: .+\.$/);
    assert.equal(why[1], "No source has a sym file.");
    assert.match(why[2] ?? "", /^(Downloaded 1\.\d kB in .+, converted in .+|It was in the cache)\.$/);
    assert.equal(why[3], "No frame points into it.");
  });

  test("links files to Searchfox, hg, GitHub and docs.rs", async () => {
    await using visited = await open();
    const { page } = visited;
    await look(page, xul.debugFilename, xul.debugId, "0x1010, 8224 0x3030;0x4040 0x5050");
    const links = await page
      .locator(".stack a")
      .evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    const revision = "53cb7b09b00cbea8754ffb78e7e3cb521cb8af4b";
    assert.deepEqual(links, [
      "https://searchfox.org/mozilla-central/hgrev/997f00815e6bc28806b75448c8829f0259d2cb28/dom/base/Element.cpp#1588",
      "https://hg.mozilla.org/mozilla-central/file/997f00815e6bc28806b75448c8829f0259d2cb28/dom/base/Element.cpp#l1588",
      "https://searchfox.org/mozilla-central/hgrev/997f00815e6bc28806b75448c8829f0259d2cb28/dom/base/Element.cpp#1602",
      "https://hg.mozilla.org/mozilla-central/file/997f00815e6bc28806b75448c8829f0259d2cb28/dom/base/Element.cpp#l1602",
      `https://searchfox.org/firefox-main/rev/${revision}/js/src/vm/Interpreter.cpp#3451`,
      `https://github.com/mozilla-firefox/firefox/blob/${revision}/js/src/vm/Interpreter.cpp#L3451`,
      "https://docs.rs/crate/tokio/1.6.1/source/src/runtime/task/mod.rs#932",
      `https://github.com/rust-lang/rust/blob/${revision}/library/std/src/panicking.rs#L612`,
      "https://docs.rs/crate/tokio/1.6.1/source/src/runtime/task/mod.rs#415",
    ]);
  });

  test("shows the crashed thread of a pasted crash ping, and other threads when opened", async () => {
    await using visited = await open();
    const { page } = visited;
    await paste(page, JSON.stringify(sample.crashPing));
    assert.equal(await page.locator("#result h2").textContent(), "Crash ping");
    assert.equal(await page.locator(".reason").textContent(), "SIGSEGV / SEGV_MAPERR at 0x0");
    const threads = page.locator(".thread");
    assert.deepEqual(await threads.evaluateAll((all) => all.map((thread) => thread.hasAttribute("open"))), [
      false,
      true,
    ]);
    assert.match(await threads.nth(1).locator("summary").innerText(), /Thread 1\s+crashed\s+6 frames/);
    assert.equal(
      (await stackOf(page, "Thread 1")).at(-1),
      "5 no symbol 0xdeadbeef found by scanning the stack",
    );
    await threads.nth(0).locator("summary").click();
    assert.deepEqual(await stackOf(page, "Thread 0"), ["0 no symbol firefox + 0x44"]);
  });

  test("keeps the functions in a processed crash for modules without symbols", async () => {
    await using visited = await open();
    await paste(visited.page, JSON.stringify(sample.processedCrash));
    assert.deepEqual((await stackOf(visited.page, "Thread 0: MainThread")).slice(-2), [
      "5 do_main browser/app/nsBrowserApp.cpp:120 inlined",
      "main browser/app/nsBrowserApp.cpp:321 firefox + 0x44 found by scanning the stack",
    ]);
  });

  test("accepts a gzipped profile dropped anywhere, and shows the most frequent stacks first", async () => {
    await using visited = await open();
    const { page } = visited;
    await drop(page, "profile.json.gz", gzipSync(JSON.stringify(sample.sharedProfile)));
    await page.locator("#result h2", { hasText: "Firefox profile" }).waitFor();
    assert.equal(await page.locator(".source").textContent(), "profile.json.gz");
    assert.match(
      await page.locator(".thread summary").innerText(),
      /GeckoMain, default\s+4 samples in 2 stacks/,
    );
    assert.deepEqual(await page.locator("h5").allInnerTexts(), ["3 samples, 75 %", "1 sample, 25 %"]);
    const [first] = await page.locator(".stack").all();
    assert.match(
      (await first?.innerText()) ?? "",
      /UnsetAttr[^]*SetAttribute[^]*js::Interpret[^]*frobnicate[^]*firefox \+ 0x44/,
    );
  });

  test("accepts a Gecko profile from the file chooser", async () => {
    await using visited = await open();
    const { page } = visited;
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Choose a file" }).click();
    const buffer = Buffer.from(JSON.stringify(sample.geckoProfile));
    await (await chooser).setFiles({ name: "gecko.json", mimeType: "application/json", buffer });
    await page.locator("#result h2", { hasText: "Gecko profile" }).waitFor();
    assert.match(
      (await stackOf(page, "GeckoMain, default"))[2] ?? "",
      /js::Interpret.* libxul\.so \+ 0x2020$/,
    );
  });

  test("accepts 60,000 pasted frames, and shows them in steps", async () => {
    await using visited = await open();
    const { page } = visited;
    const stacks = [Array.from({ length: 60_000 }, (_, index) => [0, 0x1000 + (index % 0x100)])];
    await clip(page, JSON.stringify({ memoryMap: [[xul.debugFilename, xul.debugId]], stacks }));
    await page.locator("#text").press("ControlOrMeta+v");
    await page.locator("#result:not([hidden])").waitFor();
    assert.equal(await page.locator(".source").textContent(), "pasted text");
    assert.equal(await page.locator(".stack > li").count(), 200);
    await page.getByRole("button", { name: "Show 200 more of 59,800 frames" }).press("Enter");
    assert.equal(await page.locator(".stack > li").count(), 400);
    assert.match(await page.locator(":focus").innerText(), /^200\n/);
  });

  test("shows the stacks of a thread in steps of ten", async () => {
    await using visited = await open();
    const { page } = visited;
    const [thread] = sample.processedProfile.threads;
    const stackTable = { frame: Array(25).fill(1), prefix: Array(25).fill(null) };
    const threads = [{ ...thread, stackTable, samples: { stack: [...stackTable.frame.keys()] } }];
    await paste(page, JSON.stringify({ ...sample.processedProfile, threads }));
    const shown = () => page.locator(".stack").count();
    assert.equal(await shown(), 10);
    await page.getByRole("button", { name: "Show 10 more of 15 stacks" }).click();
    await page.getByRole("button", { name: "Show 5 more of 5 stacks" }).click();
    assert.deepEqual([await shown(), await page.locator(".more").count()], [25, 0]);
    assert.equal((await copied(page, "Text")).match(/^1 sample, 4 %$/gm)?.length, 25);
  });

  for (const [what, value] of Object.entries({
    request,
    crash: sample.crashPing,
    "crash with a module without a name or id": sample.namelessModuleCrash,
    profile: sample.processedProfile,
  }))
    test(`copies a ${what} as text, as JSON, and as a curl command with that response`, async () => {
      await using visited = await open();
      const { page } = visited;
      await paste(page, JSON.stringify(value));
      const text = await copied(page, "Text");
      assert.match(
        text,
        /\n {4}0 {2,}mozilla::dom::Element::UnsetAttr\(int, nsAtom\*, bool\) {2}dom\/base\/Element\.cpp:1588 {2}\(inlined\)\n/,
      );
      const json = JSON.parse(await copied(page, "JSON")) as Answer;
      const { stdout } = await promisify(execFile)("sh", ["-c", await copied(page, "curl")]);
      const answered = JSON.parse(stdout) as Answer;
      assert.deepEqual(json.results.map(nativeFrames), answered.results.map(nativeFrames));
      assert.match(JSON.stringify(json), /UnsetAttr/);
    });

  test("copies without https", async () => {
    await using visited = await visit(used.browser, used.service.url.replace("127.0.0.1", "eliot.test"));
    const { page } = visited;
    assert.equal(await page.evaluate("isSecureContext"), false);
    await paste(page, JSON.stringify(request));
    await page.getByRole("button", { name: "curl" }).click();
    await page.getByText("Copied as curl").waitFor();
    await page.locator("#text").fill("");
    await page.locator("#text").press("ControlOrMeta+v");
    // The browser says that it heeds some headers with https alone.
    const told = visited.complaints.splice(0);
    assert.equal(told.filter((text) => !/Opener-Policy|Origin-Agent-Cluster/.test(text)).length, 0);
    assert.match(
      await page.locator("#text").inputValue(),
      /^curl http:\/\/eliot\.test:\d+\/symbolicate\/v5 --data-binary @- <<'EOF'\n/,
    );
  });

  const refusals = [
    ["", "Paste something first."],
    ["{", /^This is not JSON: .+\.$/],
    ['{"what": 1}', /^This JSON is not a request, Firefox profile, crash ping/],
    [
      '{"memoryMap": [], "stacks": 5}',
      "The service refused this: job 0 has invalid stacks: stacks must be a list of lists.",
    ],
    [
      '{"meta": {}, "threads": [{"funcTable": {}}]}',
      "This Firefox profile is incomplete or damaged: a thread has no samples.",
    ],
  ] as const;
  test("explains next to the text what is wrong with it", async () => {
    await using visited = await open();
    const { page } = visited;
    for (const [text, message] of refusals) {
      await page.locator("#text").fill(text);
      await page.getByRole("button", { name: "Symbolicate" }).click();
      await refused(page, "text", message);
    }
    // The browser reports each response with another status than 200.
    assert.match(visited.complaints.splice(0).join(), /^[^,]*status of 400[^,]*$/);
  });

  const typed = [
    ["debug-filename", "", "AB", "1", /^Enter the module’s debug filename/],
    ["debug-filename", "a/b.so", "AB", "1", /^Enter a file name without its path/],
    ["debug-filename", "C:\\x\\xul.pdb", "AB", "1", /^Enter a file name without its path/],
    ["debug-filename", "..", "AB", "1", /^“\.\.” is not a valid file name/],
    ["debug-filename", "搜".repeat(86), "AB", "1", /is over 255 bytes long/],
    ["debug-id", "a.so", "AB-CD", "1", /^Enter the module’s debug id/],
    ["offsets", "a.so", "AB", " ", /^Enter one or more offsets/],
    ["offsets", "a.so", "AB", "0x1 12ab", /^“12ab” is not a valid offset/],
    ["offsets", "a.so", "AB", "0x10000000000000000", /at most 64 bits\.$/],
  ] as const;
  test("explains next to each field of the lookup what is wrong with it", async () => {
    await using visited = await open();
    for (const [field, debugFilename, debugId, offsets, message] of typed) {
      await type(visited.page, debugFilename, debugId, offsets);
      await refused(visited.page, field, message);
    }
  });

  test("reports that a dropped file is cut short", async () => {
    await using visited = await open();
    const { page } = visited;
    await drop(page, "profile.json.gz", gzipSync(JSON.stringify(sample.sharedProfile)).subarray(0, 100));
    await refused(
      page,
      "text",
      "The gzipped or zipped file is damaged or cut short. Download or export it again.",
    );
  });

  test("cancels while a symbol server doesn't respond", async () => {
    await using symbolServer = await SymbolServer.start(() => new Promise(() => {}));
    await using slow = await startSampleService({ ELIOT_SYMBOLS_URLS: symbolServer.url });
    await using visited = await visit(used.browser, slow.url);
    const { page } = visited;
    await page.locator("#text").fill(JSON.stringify(sample.crashPing));
    await page.getByRole("button", { name: "Symbolicate" }).click();
    await page.getByText("Symbolicating Crash ping: 0 of 2 modules").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.equal(await page.getByRole("status").first().textContent(), "Cancelled.");
    await page.locator("#text:focus").waitFor();
  });

  test("reports that the service can't be reached", async () => {
    await using gone = await startSampleService();
    await using visited = await visit(used.browser, gone.url);
    const { page } = visited;
    await gone.stop();
    await type(page, xul.debugFilename, xul.debugId, "0x1010");
    await refused(page, "offsets", "The service can’t be reached. Try again later.");
    await page.locator("#status", { hasText: "The service can’t be reached." }).waitFor();
    assert.match(visited.complaints.splice(0).join(), /ERR_CONNECTION_REFUSED/);
  });

  test("shows the version, the cache size and the hit rate, and updates them", async () => {
    await using fresh = await startSampleService();
    await using visited = await visit(used.browser, fresh.url);
    const { page } = visited;
    const status = async () => (await page.locator("#status").innerText()).replaceAll(/\s+/g, " ");
    assert.match(await status(), /^Version \S+.* Cache 0 bytes of 1 GB 0 modules Hit rate – of 0 lookups$/);
    for (const rate of ["0 % of 1 lookup", "50 % of 2 lookups"]) {
      await look(page, xul.debugFilename, xul.debugId, "0x1010");
      await page.locator("#status", { hasText: rate.split(" of ")[1] ?? "" }).waitFor();
      assert.match(await status(), new RegExp(`Cache [0-9.]+ kB of 1 GB 1 module Hit rate ${rate}$`));
    }
  });
});

interface Answer {
  results: { stacks: { module_offset: string; trust?: string }[][]; found_modules: object }[];
}

/** Without JavaScript frames and trust, which the service doesn't know. */
function nativeFrames({ stacks, found_modules: modules }: Answer["results"][number]) {
  return {
    modules,
    stacks: stacks.map((stack) =>
      stack
        .filter(({ module_offset: offset }) => offset !== "-0x1")
        .map((frame) => ({ ...frame, trust: undefined })),
    ),
  };
}

async function paste(page: Page, text: string): Promise<void> {
  await page.locator("#text").fill(text);
  await page.getByRole("button", { name: "Symbolicate" }).click();
  await page.locator("#result:not([hidden])").waitFor();
}

async function type(page: Page, debugFilename: string, debugId: string, offsets: string): Promise<void> {
  await page.getByLabel("Module", { exact: true }).fill(debugFilename);
  await page.getByLabel("Debug id").fill(debugId);
  await page.getByLabel("Offsets").fill(offsets);
  await page.getByRole("button", { name: "Look up" }).click();
}

async function look(page: Page, debugFilename: string, debugId: string, offsets: string): Promise<void> {
  await type(page, debugFilename, debugId, offsets);
  await page.locator("#result:not([hidden])").waitFor();
}

async function drop(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  const dataTransfer = await page.evaluateHandle(`
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array([${bytes.join()}])], ${JSON.stringify(name)}));
    transfer;
  `);
  await page.dispatchEvent("footer", "dragover", { dataTransfer });
  await page.dispatchEvent("footer", "drop", { dataTransfer });
}

function clip(page: Page, text: string): Promise<void> {
  return page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
}

async function copied(page: Page, as: string): Promise<string> {
  await page.getByRole("button", { name: as, exact: true }).click();
  await page.getByText(`Copied as ${as}`).waitFor();
  return page.evaluate("navigator.clipboard.readText()");
}

/** The calls of an open thread, one per line. */
async function stackOf(page: Page, thread: string): Promise<string[]> {
  const frames = page
    .locator(".thread", { has: page.getByRole("heading", { name: thread, exact: true }) })
    .locator("li");
  await frames.first().waitFor();
  return frames.evaluateAll((all) =>
    all.flatMap((frame) =>
      [...frame.querySelectorAll(".call")].map((call, index) => {
        const words = [...call.querySelectorAll("code, a, span:not(.where)")].map(
          ({ textContent }) => textContent,
        );
        return [...(index === 0 ? [frame.querySelector(".number")?.textContent] : []), ...words].join(" ");
      }),
    ),
  );
}

async function refused(page: Page, field: string, message: string | RegExp): Promise<void> {
  const alert = page.locator("form", { has: page.locator(`#${field}`) }).locator("[role=alert]");
  // Awaits this message: an earlier one is shown until the new one replaces it.
  await alert.filter({ hasText: message }).waitFor();
  if (typeof message === "string") assert.equal(await alert.textContent(), message);
  await page.locator(`#${field}[aria-invalid=true]:focus`).waitFor();
  assert.equal(await page.locator("#result").isVisible(), false);
}
