import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { readConfig } from "../../src/config/readConfig.ts";
import { freePort, noNginx, startBalancer } from "../support/balancer.ts";
import { startTestService, temporaryFolder, type RunningService } from "../support/service.ts";
import { startProcess } from "../support/serviceProcess.ts";

const job = {
  memoryMap: [["libstdc++.so.6", "0CEFB84AE0DEB3F9900D2B90425BB3280"]],
  stacks: [[[0, 811418]]],
};
const body = JSON.stringify(job);

function addressOf({ url }: { url: string }): string {
  return new URL(url).host;
}

async function post(url: string, content = body) {
  const response = await fetch(`${url}/symbolicate/v5`, { method: "POST", body: content });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** In place of an instance: what it answers, on a port of its own. */
async function startInstance(answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  let connections = 0;
  server.on("connection", () => void connections++);
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Asks without a pause until it is told to stop, and tells what was answered other than by the first answer, and how often. */
function askOnAndOn(url: string, first: string) {
  const stop = new AbortController();
  const clients = Array.from({ length: 4 }, async () => {
    const wrong: string[] = [];
    let answers = 0;
    while (!stop.signal.aborted) {
      const answer = await post(url).catch((error: unknown) => ({ status: 0, text: String(error) }));
      if (answer.status !== 200 || answer.text !== first) wrong.push(`${answer.status} ${answer.text}`);
      answers++;
    }
    return { wrong, answers };
  });
  return async () => {
    stop.abort();
    const all = await Promise.all(clients);
    return {
      wrong: all.flatMap(({ wrong }) => wrong),
      answers: all.reduce((sum, { answers }) => sum + answers, 0),
    };
  };
}

test("has the time limits of the service in the balancer's configuration", async () => {
  const configuration = await readFile(
    new URL("../../deploy/compose/balancer.conf", import.meta.url),
    "utf8",
  );
  const limits = [...configuration.matchAll(/ (\d+)s; # (\w+Ms)\b/g)];
  assert.equal(limits.length, 2);
  for (const [, seconds, name = ""] of limits)
    assert.equal(Number(seconds) * 1000, readConfig({}).server[name as "requestTimeoutMs"], name);
});

suite("deploy/compose/balancer.conf", { skip: noNginx }, () => {
  test("forwards requests to all instances, and their responses to the client", async () => {
    await using folder = await temporaryFolder();
    const env = { ELIOT_SYMBOLS_CACHE_DIR: folder.path };
    await using one = await startTestService(env);
    await using two = await startTestService(env);
    await using balancer = await startBalancer([addressOf(one), addressOf(two)]);
    const direct = await post(one.url);
    for (let count = 0; count < 10; count++) assert.equal((await post(balancer.url)).text, direct.text);
    const asked = ({ log }: RunningService) => log.filter(({ Type }) => Type === "request.summary").length;
    assert.deepEqual([asked(one), asked(two)], [6, 5]);
  });

  test("forwards bodies up to the limit, and lets an instance reject longer ones", async () => {
    await using service = await startTestService();
    await using balancer = await startBalancer([addressOf(service), addressOf(service)]);
    const whole = body.padEnd(20_000_000);
    const accepted = await post(balancer.url, whole);
    assert.deepEqual([accepted.status, accepted.text], [200, (await post(service.url)).text]);
    for (const longer of [`${whole} `, body.padEnd(60_000_000)]) {
      const { status, text } = await post(balancer.url, longer);
      assert.deepEqual([status, text], [413, '{"title":"413 Payload Too Large"}']);
    }
  });

  test("forwards a long response completely", async () => {
    await using service = await startTestService();
    await using balancer = await startBalancer([addressOf(service), addressOf(service)]);
    const frames = Array.from({ length: 50_000 }, (_, index) => [0, 800_000 + (index % 20_000)]);
    const long = JSON.stringify({ ...job, stacks: [frames] });
    const { text } = await post(balancer.url, long);
    assert.ok(text.length > 8_000_000);
    assert.ok(text === (await post(service.url, long)).text);
  });

  test("answers every request while an instance is killed under load", async () => {
    await using folder = await temporaryFolder();
    const env = { ELIOT_SYMBOLS_CACHE_DIR: folder.path };
    await using one = await startProcess(env);
    await using two = await startProcess(env);
    await using balancer = await startBalancer([addressOf(one), addressOf(two)]);
    const stop = askOnAndOn(balancer.url, (await post(two.url)).text);
    await setTimeout(300);
    one.signal("SIGKILL");
    await one.exit;
    await setTimeout(300);
    const { wrong, answers } = await stop();
    assert.deepEqual(wrong, []);
    assert.ok(answers > 20);
  });

  test("answers every request while the instances are restarted one after another under load", async () => {
    await using folder = await temporaryFolder();
    const env = { ELIOT_SYMBOLS_CACHE_DIR: folder.path };
    const ports = [await freePort(), await freePort()] as const;
    const instances = ports.map((port) => `127.0.0.1:${port}`) as [string, string];
    await using running = new AsyncDisposableStack();
    const start = async (port: number) => running.use(await startProcess({ ...env, PORT: String(port) }));
    const [one, two] = [await start(ports[0]), await start(ports[1])];
    await using balancer = await startBalancer(instances);
    const stop = askOnAndOn(balancer.url, (await post(one.url)).text);
    for (const [port, instance] of [[ports[0], one] as const, [ports[1], two] as const]) {
      instance.signal("SIGTERM");
      assert.equal(await instance.exit, 0);
      await start(port);
      // Longer than `fail_timeout`, of which nginx counts whole seconds.
      await setTimeout(2200);
    }
    const { wrong, answers } = await stop();
    assert.deepEqual(wrong, []);
    assert.ok(answers > 20);
  });

  test("asks another instance if one is overloaded, and returns 503 if both are", async () => {
    const refuse: RequestListener = (request_, response) => {
      request_.resume();
      response
        .writeHead(503, { "Retry-After": "1", "Content-Type": "application/json" })
        .end('{"title":"busy"}');
    };
    await using busy = await startInstance(refuse);
    await using service = await startTestService();
    await using balancer = await startBalancer([busy.address, addressOf(service)]);
    for (let count = 0; count < 10; count++) assert.equal((await post(balancer.url)).status, 200);
    // It isn't left alone for that.
    assert.ok(busy.connections() > 0);

    await using bothBusy = await startBalancer([busy.address, busy.address]);
    const { status, text, headers } = await post(bothBusy.url);
    assert.deepEqual([status, text, headers.get("retry-after")], [503, '{"title":"busy"}', "1"]);
  });

  test("reports as JSON with CORS headers that no instance can be reached", async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    await using balancer = await startBalancer([nobody, nobody]);
    const { status, text, headers } = await post(balancer.url);
    assert.deepEqual([status, text], [502, '{"title": "No instance can be reached"}']);
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("access-control-allow-origin"), "*");
  });

  test("reuses its connections to instances", async () => {
    await using instance = await startInstance((_, response) => void response.end("{}"));
    await using balancer = await startBalancer([instance.address, instance.address]);
    for (let count = 0; count < 40; count++) await post(balancer.url);
    // One for each worker of nginx, and for each of the two servers.
    assert.ok(instance.connections() <= 4, String(instance.connections()));
  });

  test("logs the same request id in the balancer and the instance", async () => {
    await using service = await startTestService();
    await using balancer = await startBalancer([addressOf(service), addressOf(service)]);
    await post(balancer.url);
    await fetch(`${balancer.url}/cache`, { headers: { "X-Request-ID": "mine" } });
    const names = service.log.flatMap(({ Type, Fields }) =>
      Type === "request.summary" ? Fields["rid"] : [],
    );
    assert.match(String(names[0]), /^[0-9a-f]{32}$/);
    assert.equal(names[1], "mine");
  });

  test("forwards lines of /symbolicate/bulk in both directions without buffering", async () => {
    await using echo = await startInstance((incoming, response) => void incoming.pipe(response));
    await using balancer = await startBalancer([echo.address, echo.address]);
    const outgoing = request(`${balancer.url}/symbolicate/bulk`, { method: "POST" });
    outgoing.write("first\n");
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    assert.equal(String(await once(response, "data")), "first\n");
    outgoing.end("second\n");
    assert.equal(String(await once(response, "data")), "second\n");
  });
});
