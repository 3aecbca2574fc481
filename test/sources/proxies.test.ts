import assert from "node:assert/strict";
import { test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { run } from "../support/commandLine.ts";
import { ProxyServer } from "../support/proxyServer.ts";
import { startTestService } from "../support/service.ts";
import { certificatePath, certificate, reply, SymbolServer, type Script } from "../support/symbolServer.ts";
import { syntheticModule } from "../support/syntheticModule.ts";

const module = syntheticModule("module.so");
const { name, id, key, path, frames } = module;
const whole = reply("200 OK", module.symFile);
const redirect = (location: string): Script => reply("302 Found", "", { Location: location });

/** The module's status in a service with this environment, and the reason. */
async function outcome(env: Record<string, string>): Promise<{ status: string; reason?: string }> {
  await using service = await startTestService({
    "sources.downloadAttempts": "1",
    "sources.headersTimeoutMs": "1000",
    ...env,
  });
  const { results, debug } = await service.symbolicate({
    memoryMap: [[name, id]],
    stacks: [[[0, frames[0]!.offset]]],
  });
  const result = debug.modules.status_per_module[key]!;
  if (result.status === "converted")
    assert.equal(results[0]?.stacks[0]?.[0]?.["function"], frames[0]!.function);
  return result;
}

async function status(env: Record<string, string>): Promise<string> {
  return (await outcome(env)).status;
}

/** The address of a server by a name that only the proxy can resolve. */
function named(server: SymbolServer, host: string): string {
  const url = new URL(server.url);
  url.hostname = host;
  return url.href;
}

for (const variable of ["HTTP_PROXY", "http_proxy"])
  test(`asks http sources by the proxy of ${variable}, and signs in to it`, async () => {
    await using proxy = await ProxyServer.start("us er:p@ss");
    await using server = await SymbolServer.start(whole);
    const source = named(server, "symbols.test");
    const env = { ELIOT_SYMBOLS_URLS: source, [variable]: `http://us%20er:p%40ss@${proxy.host}` };
    assert.equal(await status(env), "converted");
    assert.deepEqual(
      proxy.requests.map(({ line }) => line),
      [`GET ${source.slice(0, -1)}${path}`],
    );
    assert.deepEqual(server.hits, [path]);
  });

for (const variable of ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY"])
  test(`asks https sources through a tunnel of the proxy of ${variable}`, async (t) => {
    const trusted = getCACertificates();
    setDefaultCACertificates([...trusted, certificate]);
    t.after(() => setDefaultCACertificates(trusted));
    await using proxy = await ProxyServer.start("user:");
    await using server = await SymbolServer.startTls(whole);
    const source = named(server, "localhost");
    assert.equal(
      await status({ ELIOT_SYMBOLS_URLS: source, [variable]: `http://user@${proxy.host}` }),
      "converted",
    );
    assert.deepEqual(
      proxy.requests.map(({ line }) => line),
      [`CONNECT ${new URL(source).host}`],
    );
    assert.deepEqual(server.hits, [path]);
  });

test("refuses a server's certificate that is of another name, behind a proxy as well", async (t) => {
  const trusted = getCACertificates();
  setDefaultCACertificates([...trusted, certificate]);
  t.after(() => setDefaultCACertificates(trusted));
  await using proxy = await ProxyServer.start();
  await using server = await SymbolServer.startTls(whole);
  const env = { ELIOT_SYMBOLS_URLS: named(server, "symbols.test"), HTTPS_PROXY: proxy.host };
  assert.equal(await status(env), "download_failed");
  assert.deepEqual(server.hits, []);
});

for (const [noProxy, isDirect] of [
  ["127.0.0.1", true],
  ["other.test, 127.0.0.1", true],
  ["*", true],
  ["127.0.0.1:PORT", true],
  ["127.0.0.1:1", false],
  ["other.test", false],
] as const)
  test(`asks ${isDirect ? "directly" : "by a proxy"} where NO_PROXY is ${noProxy}`, async () => {
    await using proxy = await ProxyServer.start();
    await using server = await SymbolServer.start(whole);
    const env = {
      ELIOT_SYMBOLS_URLS: server.url,
      HTTP_PROXY: proxy.host,
      no_proxy: noProxy.replace("PORT", new URL(server.url).port),
      NO_PROXY: "overridden",
    };
    assert.equal(await status(env), "converted");
    assert.equal(proxy.requests.length, isDirect ? 0 : 1);
  });

test("fails with a reason where a proxy refuses, doesn't answer or isn't there, and shows no password", async () => {
  await using proxy = await ProxyServer.start("user:right");
  await using silent = await SymbolServer.start(() => {});
  for (const scheme of ["http", "https"])
    for (const [host, reason] of [
      [proxy.host, /proxy.*407/i],
      [new URL(silent.url).host, /timeout/i],
      ["127.0.0.1:1", /ECONNREFUSED/],
    ] as const) {
      const env = {
        ELIOT_SYMBOLS_URLS: `${scheme}://symbols.test/`,
        HTTP_PROXY: `http://user:hunter2@${host}`,
        "sources.downloadTimeoutMs": "5000",
      };
      const result = await outcome(env);
      assert.match(result.status, /^(download_failed|timeout)$/);
      assert.match(result.reason ?? "", reason);
      assert.doesNotMatch(JSON.stringify(result), /hunter2/);
    }
});

test("behind a proxy, follows redirects to names, but not to literal private addresses", async () => {
  await using proxy = await ProxyServer.start();
  await using inner = await SymbolServer.start(whole);
  await using outer = await SymbolServer.start(() => {});
  const { port } = new URL(inner.url);
  const env = { ELIOT_SYMBOLS_URLS: named(outer, "symbols.test"), HTTP_PROXY: proxy.host };
  outer.script = redirect(`http://storage.test:${port}/stored`);
  assert.equal(await status(env), "converted");
  assert.deepEqual(inner.hits, ["/stored"]);
  for (const host of ["127.0.0.1", "127.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]"]) {
    outer.script = redirect(`http://${host}:${port}/`);
    assert.equal(await status(env), "download_failed", host);
  }
  // A host without a proxy is still checked by the address that its name has.
  outer.script = redirect(`http://localhost:${port}/`);
  assert.equal(await status({ ...env, NO_PROXY: "localhost" }), "download_failed");
  assert.equal(inner.hits.length, 1);
  // A source at a private address may redirect to another one.
  outer.script = redirect(`http://127.0.0.1:${port}/private`);
  assert.equal(await status({ ...env, ELIOT_SYMBOLS_URLS: outer.url }), "converted");
  assert.deepEqual(inner.hits, ["/stored", "/private"]);
});

test("commands use the proxy, too", async () => {
  await using proxy = await ProxyServer.start("user:secret");
  await using server = await SymbolServer.start(whole);
  await using secure = await SymbolServer.startTls(whole);
  for (const source of [named(server, "symbols.test"), named(secure, "localhost")]) {
    const env = { https_proxy: `user:secret@${proxy.host}`, HTTP_PROXY: `http://user:secret@${proxy.host}` };
    const { code, stdout } = await run(["fetch", name, id, "-s", source, "-o", "-"], {
      env: { ...env, NODE_EXTRA_CA_CERTS: certificatePath },
    });
    assert.deepEqual([code, stdout], [0, module.symFile]);
  }
  assert.equal(proxy.requests.length, 2);
});
