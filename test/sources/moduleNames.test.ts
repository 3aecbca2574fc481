import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestService, temporaryFolder } from "../support/service.ts";
import { SymbolServer, type Script } from "../support/symbolServer.ts";

const id = "0123456789ABCDEF0123456789ABCDEF0";

/** Has a sym file for every module; its function is named after the path. */
const serveAny: Script = (socket, path) => {
  const name = decodeURIComponent(path.split("/")[1] ?? "");
  const symFile = `MODULE Linux x86_64 ${id} ${name}\nFUNC 1000 10 0 in ${name}\n1000 10 1 0\n`;
  socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(symFile)}\r\n\r\n${symFile}`);
};

/** Names that real modules have, and their last path segment on a symbol server. */
const servable = {
  "App Helper (Renderer)": "App%20Helper%20(Renderer).sym",
  "memfd:doublemapper (deleted)": "memfd:doublemapper%20(deleted).sym",
  "libx.so:arm64": "libx.so:arm64.sym",
  "it's.so": "it's.so.sym",
  "搜狗.dll": "%E6%90%9C%E7%8B%97.dll.sym",
  "a%20b.so": "a%2520b.so.sym",
  "a b.so": "a%20b.so.sym",
  "a%2fb.so": "a%252fb.so.sym",
  "%2e%2e": "%252e%252e.sym",
  "a?b#c.so": "a%3Fb%23c.so.sym",
  "a=b&c;d,e$f!.so": "a=b&c;d,e$f!.so.sym",
  "a+b~c@d.so": "a+b~c@d.so.sym",
  "[vdso]": "[vdso].sym",
  "😀*|.so": "%F0%9F%98%80*|.so.sym",
  ["é".repeat(127)]: `${"%C3%A9".repeat(127)}.sym`,
  "...": "....sym",
};

const unservable = [
  ".",
  "..",
  "a/b.so",
  "/abs.so",
  "C:\\x\\y.pdb",
  "a\nb.so",
  "a\u0000.so",
  "a\u007f.so",
  "a\u0085.so",
  "\ud800.so",
  "x".repeat(256),
  "é".repeat(128),
];

const names = [...Object.keys(servable), ...unservable];
const jobs = {
  memoryMap: names.map((name) => [name, id]),
  stacks: [names.map((_, index) => [index, 0x1008])],
};

function check(response: Awaited<ReturnType<Awaited<ReturnType<typeof startTestService>>["symbolicate"]>>) {
  const { stacks, found_modules } = response.results[0] ?? { stacks: [], found_modules: {} };
  assert.deepEqual(
    stacks[0]?.map((frame) => [frame["module"], frame["function"]]),
    names.map((name) => [name, unservable.includes(name) ? undefined : `in ${name}`]),
  );
  assert.deepEqual(
    found_modules,
    Object.fromEntries(names.map((name) => [`${name}/${id}`, !unservable.includes(name)])),
  );
}

test("requests modules of any name percent-encoded, and finds them in the cache after a restart", async () => {
  await using server = await SymbolServer.start(serveAny);
  await using folder = await temporaryFolder();
  const env = { ELIOT_SYMBOLS_URLS: server.url, ELIOT_SYMBOLS_CACHE_DIR: folder.path };
  {
    await using service = await startTestService(env);
    check(await service.symbolicate(jobs));
    const fileNames = server.hits.map((path) => path.slice(path.lastIndexOf("/") + 1));
    assert.deepEqual(fileNames.toSorted(), Object.values(servable).toSorted());
  }
  await using restarted = await startTestService(env);
  const response = await restarted.symbolicate(jobs);
  check(response);
  assert.equal(server.hits.length, Object.keys(servable).length);
  const statuses = Object.values(response.debug.modules.status_per_module).map(({ status }) => status);
  assert.deepEqual(new Set(statuses), new Set(["cached", "not_found"]));
});

test("returns the symbols of other modules next to one with an invalid name or id", async () => {
  await using server = await SymbolServer.start(serveAny);
  await using service = await startTestService({ ELIOT_SYMBOLS_URLS: server.url });
  const ids = ["not hex", "é", "\ud800", "0".repeat(65), "0x10", "-1", " "];
  const { results, debug } = await service.symbolicate({
    jobs: [
      { memoryMap: [["a.so", id]], stacks: [[[0, 0x1008]]] },
      ...ids.map((odd) => ({ memoryMap: [["a.so", odd]], stacks: [[[0, 0x1008]]] })),
    ],
  });
  assert.deepEqual(results[0]?.found_modules, { [`a.so/${id}`]: true });
  for (const [index, odd] of ids.entries()) {
    assert.deepEqual(results[index + 1]?.found_modules, { [`a.so/${odd}`]: false });
    assert.deepEqual(debug.modules.status_per_module[`a.so/${odd}`], {
      status: "not_found",
      reason: "the debug id is not 1 to 64 hex digits",
    });
  }
  assert.equal(server.hits.length, 1);
});
