/**
 * Redirects of a public source. The test runs again in a network namespace where a public address is this machine's own;
 * nothing can leave that. It needs root.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { reply, SymbolServer, type Script } from "../symbolServer.ts";
import { madeModule } from "./madeModule.ts";
import { impatient, startWorld } from "./world.ts";

const publicAddress = "203.0.113.7";
const within = "FAULTS_IN_NAMESPACE";
const namespace = ["--net", "sh", "-c"];
const addAddress = `ip link set lo up && ip address add ${publicAddress}/32 dev lo`;
const canAdd = () => spawnSync("unshare", [...namespace, addAddress], { stdio: "ignore" }).status === 0;

if (process.env[within] === undefined)
  test(
    "follows a public source's redirects to public addresses only",
    { skip: canAdd() ? false : "a network namespace of its own needs root and iproute2" },
    async () => {
      const again = `exec ${process.execPath} --test ${fileURLToPath(import.meta.url)}`;
      const env = { ...process.env, [within]: "yes", NODE_TEST_CONTEXT: undefined };
      await promisify(execFile)("unshare", [...namespace, `${addAddress} && ${again}`], { env });
    },
  );
else
  test("follows a public source's redirects to public addresses only", async () => {
    const module = madeModule("module.so");
    const redirect = (location: string): Script => reply("302 Found", "", { Location: location });
    await using inner = await SymbolServer.start(reply("200 OK", module.symFile));
    await using outer = await SymbolServer.start(() => {}, publicAddress);
    await using world = await startWorld([module], { ...impatient, ELIOT_BREAKER_COOLDOWN: "0.001" });
    await world.restart({ ELIOT_SYMBOLS_URLS: outer.url });
    const { port } = new URL(inner.url);
    const hosts = [
      "127.0.0.1", "127.1", "2130706433", "0x7f.1", "127.0.0.2", "0.0.0.0", "localhost", "LOCALHOST.", "[::1]", "[::]", "[::ffff:127.0.0.1]",
      "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "169.254.169.254", "10.0.0.1", "[fd00::1]", "[fe80::1]",
    ]; // prettier-ignore
    for (const host of hosts) {
      outer.script = redirect(`http://${host}:${port}/`);
      assert.deepEqual(await world.ask(module), ["bare, download_failed"], host);
      assert.deepEqual(inner.hits, [], host);
    }
    assert.deepEqual(await world.kept(), []);
    const { port: publicPort } = new URL(outer.url);
    outer.script = (socket, path) =>
      path === "/storage"
        ? reply("200 OK", module.symFile)(socket, path)
        : redirect(`http://${publicAddress}:${publicPort}/storage`)(socket, path);
    assert.deepEqual(await world.ask(module), ["right, converted"]);
  });
