/**
 * Names of symbol servers and redirects of public ones. The tests run again in a network namespace where a public address
 * and the name server are this machine's own; nothing can leave that. It needs root.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { reply, SymbolServer, type Script } from "../support/symbolServer.ts";
import { syntheticModule } from "../support/syntheticModule.ts";
import { startNameServer } from "../support/nameServer.ts";
import { withoutRetries, startHarness } from "../support/harness.ts";

const publicAddress = "203.0.113.7";
const within = "FAULTS_IN_NAMESPACE";
const namespace = ["--net", "--mount", "sh", "-c"];
const prepare = [
  `ip link set lo up && ip address add ${publicAddress}/32 dev lo && mount -t tmpfs none /mnt`,
  "printf 'nameserver 127.0.0.1\\noptions timeout:1 attempts:1\\n' > /mnt/names && mount --bind /mnt/names /etc/resolv.conf",
].join(" && ");
const canPrepare = () => spawnSync("unshare", [...namespace, prepare], { stdio: "ignore" }).status === 0;

const redirect = (location: string): Script => reply("302 Found", "", { Location: location });
const settings = { ...withoutRetries, "sources.breakerCooldownMs": "1", "sources.connectTimeoutMs": "1000" };

if (process.env[within] === undefined)
  test(
    "restricts redirects of a public source to public addresses, and recovers when names resolve again",
    { skip: canPrepare() ? false : "a network namespace of its own needs root and iproute2" },
    async () => {
      const again = `exec ${process.execPath} --test ${fileURLToPath(import.meta.url)}`;
      const env = { ...process.env, [within]: "yes", NODE_TEST_CONTEXT: undefined };
      await promisify(execFile)("unshare", [...namespace, `${prepare} && ${again}`], { env });
    },
  );
else {
  test("follows a public source's redirects to public addresses only", async () => {
    const module = syntheticModule("module.so");
    await using inner = await SymbolServer.start(reply("200 OK", module.symFile));
    await using outer = await SymbolServer.start(() => {}, publicAddress);
    await using _ = await startNameServer((name) => (name === "inner.test" ? ["127.0.0.1"] : [publicAddress, "127.0.0.1"])); // prettier-ignore
    await using harness = await startHarness([module], settings);
    await harness.restart({ ELIOT_SYMBOLS_URLS: outer.url });
    const { port } = new URL(inner.url);
    const hosts = [
      "127.0.0.1", "127.1", "2130706433", "0x7f.1", "127.0.0.2", "0.0.0.0", "localhost", "LOCALHOST.", "[::1]", "[::]", "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "169.254.169.254", "10.0.0.1", "[fd00::1]", "[fe80::1]", "inner.test", "both.test",
    ]; // prettier-ignore
    for (const host of hosts) {
      outer.script = redirect(`http://${host}:${port}/`);
      assert.deepEqual(await harness.ask(module), ["bare, download_failed"], host);
      assert.deepEqual(inner.hits, [], host);
    }
    assert.deepEqual(await harness.kept(), []);
    const { port: publicPort } = new URL(outer.url);
    outer.script = (socket, path) =>
      path === "/storage"
        ? reply("200 OK", module.symFile)(socket, path)
        : redirect(`http://${publicAddress}:${publicPort}/storage`)(socket, path);
    assert.deepEqual(await harness.ask(module), ["right, converted"]);
  });

  test("treats a source that was reached at a public address as public even if its name then resolves differently", async () => {
    const module = syntheticModule("module.so");
    await using inner = await SymbolServer.start(reply("200 OK", module.symFile));
    await using outer = await SymbolServer.start(redirect(inner.url), publicAddress);
    let lookups = 0;
    await using _ = await startNameServer(() => [lookups++ === 0 ? publicAddress : "127.0.0.1"]);
    await using harness = await startHarness([module], settings);
    await harness.restart({ ELIOT_SYMBOLS_URLS: `http://source.test:${new URL(outer.url).port}/` });
    assert.deepEqual(await harness.ask(module), ["bare, download_failed"]);
    assert.equal(outer.hits.length, 1);
    assert.deepEqual(inner.hits, []);
  });

  test("does not follow a redirect from a private server via a public one to a private address", async () => {
    const module = syntheticModule("module.so");
    await using inner = await SymbolServer.start(reply("200 OK", module.symFile));
    await using outer = await SymbolServer.start(redirect(inner.url), publicAddress);
    await using harness = await startHarness([module], settings);
    harness.fault(module, redirect(outer.url));
    assert.deepEqual(await harness.ask(module), ["bare, download_failed"]);
    assert.equal(outer.hits.length, 1);
    assert.deepEqual(inner.hits, []);
    outer.script = reply("200 OK", module.symFile);
    assert.deepEqual(await harness.ask(module), ["right, converted"]);
  });

  test("answers cached modules while the name server is down, and new ones once it is up", async () => {
    const [cached, module] = [syntheticModule("cached.so"), syntheticModule("module.so")];
    await using names = await startNameServer(() => ["127.0.0.1"]);
    await using harness = await startHarness([cached, module], settings);
    await harness.restart({ ELIOT_SYMBOLS_URLS: `http://source.test:${new URL(harness.server.url).port}/` });
    assert.deepEqual(await harness.ask(cached), ["right, converted"]);
    await harness.server.stop().then((start) => start());
    names.zone = () => undefined;
    assert.match(
      (await harness.ask(cached, module)).join(),
      /^right, cached,bare, (timeout|download_failed)$/,
    );
    names.zone = () => [];
    assert.deepEqual(await harness.ask(cached, module), ["right, cached", "bare, download_failed"]);
    names.zone = () => ["127.0.0.1"];
    assert.deepEqual(await harness.ask(cached, module), ["right, cached", "right, converted"]);
  });
}
