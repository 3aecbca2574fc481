import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../support/commandLine.ts";
import { startTestService } from "../support/service.ts";
import { inSequence, reply, SymbolServer, type Script } from "../support/symbolServer.ts";
import { syntheticModule } from "../support/syntheticModule.ts";

const module = syntheticModule("module.so");
const { name, id, key, path } = module;
const whole = reply("200 OK", module.symFile);
const redirect = (location: string): Script => reply("302 Found", "", { Location: location });
const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString("base64")}`;

function withCredentials(server: SymbolServer, credentials: string): string {
  return server.url.replace("//", `//${credentials}@`);
}

async function status(sources: string): Promise<string | undefined> {
  await using service = await startTestService({
    ELIOT_SYMBOLS_URLS: sources,
    "sources.downloadAttempts": "1",
  });
  const { debug } = await service.symbolicate({ memoryMap: [[name, id]], stacks: [[[0, 0x1008]]] });
  return debug.modules.status_per_module[key]?.status;
}

for (const [written, decoded] of [
  ["user:password", "user:password"],
  ["token", "token:"],
  [":password", ":password"],
  ["user%40example.com:p%2Cs%2Fs%3A%25%20", "user@example.com:p,s/s:% "],
  ["jos\u00e9:\u641c", "jos\u00e9:\u641c"],
  ["user:p@ss", "user:p@ss"],
] as const)
  test(`signs in to a source with ${written}`, async () => {
    await using server = await SymbolServer.start(whole);
    assert.equal(await status(withCredentials(server, written)), "converted");
    assert.deepEqual([server.hits, server.authorizations], [[path], [basic(decoded)]]);
  });

test("sends the credentials of a source to no other source", async () => {
  await using one = await SymbolServer.start(reply("404 Not Found"));
  await using other = await SymbolServer.start(whole);
  assert.equal(await status(`${withCredentials(one, "a:b")},${other.url}`), "converted");
  assert.deepEqual([one.authorizations, other.authorizations], [[basic("a:b")], [undefined]]);
});

test("sends credentials along a redirect to the source itself, and to no other host or port", async () => {
  await using server = await SymbolServer.start(inSequence(redirect("/elsewhere"), whole));
  assert.equal(await status(withCredentials(server, "a:b")), "converted");
  assert.deepEqual(server.authorizations, [basic("a:b"), basic("a:b")]);

  await using storage = await SymbolServer.start(whole);
  const { port } = new URL(storage.url);
  for (const target of [storage.url, `http://localhost:${port}/`, `http://x:y@127.0.0.1:${port}/`]) {
    server.script = redirect(target);
    assert.equal(await status(withCredentials(server, "a:b")), "converted");
  }
  assert.deepEqual(storage.authorizations, [undefined, undefined, undefined]);

  // Where to the other host redirects is that host's choice.
  server.script = inSequence(redirect(storage.url), whole);
  storage.script = redirect(`${server.url}back`);
  server.authorizations.length = 0;
  assert.equal(await status(withCredentials(server, "a:b")), "converted");
  assert.deepEqual(server.authorizations, [basic("a:b"), undefined]);
});

test("shows credentials of sources and proxies nowhere", async () => {
  const secret = "hunter2";
  await using refusing = await SymbolServer.start(reply("401 Unauthorized"));
  await using failing = await SymbolServer.start(reply("500 Internal Server Error"));
  await using looping = await SymbolServer.start(redirect("/"));
  const gone = `http://user:${secret}@127.0.0.1:1/`;
  const servers = [refusing, failing, looping].map((server) => withCredentials(server, `user:${secret}`));
  const env = {
    ELIOT_SYMBOLS_URLS: [...servers, gone].join(),
    HTTPS_PROXY: `http://user:${secret}@127.0.0.1:1`,
    HTTP_PROXY: `user:${secret}@127.0.0.1:1`,
    NO_PROXY: "127.0.0.1",
    ELIOT_LOGGING_LEVEL: "DEBUG",
    "sources.downloadAttempts": "1",
  };
  await using service = await startTestService(env);
  const job = { memoryMap: [[name, id]], stacks: [[[0, 0x1008]]] };
  const shown = [JSON.stringify(await service.symbolicate(job))];
  for (const page of ["__heartbeat__", "__version__", "", "__broken__"])
    shown.push(await (await fetch(`${service.url}/${page}`)).text());
  shown.push(JSON.stringify(service.log));
  const { code, stdout, stderr } = await run(["fetch", name, id], { env });
  assert.equal(code, 3);
  shown.push(stdout, stderr);
  for (const text of shown) {
    assert.ok(!text.includes(secret), text);
    assert.ok(!text.includes(Buffer.from(`user:${secret}`).toString("base64").slice(0, 12)), text);
  }
  assert.equal(refusing.authorizations[0], basic(`user:${secret}`));
  assert.match(stderr, /http:\/\/127\.0\.0\.1:1\/: /);
});
