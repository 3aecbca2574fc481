/** Faults of the store that instances share: each request goes on as if there were none. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { crc32, zstdCompressSync } from "node:zlib";
import { ScriptedS3Server, type StoreScript } from "../support/scriptedS3Server.ts";
import { temporaryFolder } from "../support/service.ts";
import { syntheticModule, type SyntheticModule } from "../support/syntheticModule.ts";
import { ask, kept, startHarness, type Harness } from "../support/harness.ts";
import { waitUntil } from "../support/waitUntil.ts";

const shortTimeouts = { "sharedCache.stallTimeoutMs": "300", "sharedCache.getTimeoutMs": "1000" };
/** The store is asked again at once. */
const undaunted = { "sharedCache.breakerCooldownMs": "1" };
const headerEnd = 16 + 80;

function objectPath({ key }: SyntheticModule): string {
  return `/bucket/v1/${key}.symc.zst`;
}

/** A module whose symcache counts as large (over 16 MB) and needs two range requests of 8 MiB: random file names hardly compress. */
function largeModule(name: string): SyntheticModule {
  const module = syntheticModule(name);
  const random = createHash("shake256", { outputLength: 12.75e6 }).update(name).digest("base64url");
  const files = Array.from({ length: 1_700 }, (_, index) => {
    return `FILE ${index + 1} ${random.slice(index * 10_000, (index + 1) * 10_000)}\n`;
  });
  return { ...module, symFile: module.symFile.replace("FUNC", `${files.join("")}FUNC`) };
}

const answers =
  (status: number, body = "", headers: Record<string, string> = {}): StoreScript =>
  (request, response) => {
    request.resume();
    response.writeHead(status, headers).end(body);
  };
const refuses = (status: number, code: string) => answers(status, `<Error><Code>${code}</Code></Error>`);

/** Sends an object as it stands, or what it is made into. */
const sends =
  (change: (object: Buffer) => Buffer | undefined) =>
  (object: Buffer): StoreScript => {
    const copy = Buffer.from(object);
    const changed = change(copy) ?? copy;
    return (_, response) => void whole(response, changed).end(changed);
  };

function whole(response: ServerResponse, { length }: Buffer): ServerResponse {
  return response.writeHead(206, {
    "content-length": length,
    "content-range": `bytes 0-${length - 1}/${length}`,
  });
}

/** A header that is whole, whatever it says. */
function sealed(object: Buffer, change: (header: Buffer) => void): Buffer {
  const chunks = Math.ceil(Number(object.readBigUInt64LE(8)) / 2 ** 22);
  const end = headerEnd + 8 * chunks;
  change(object);
  object.writeUInt32LE(crc32(object.subarray(0, end)), end);
  return object;
}

/** An object of one chunk with another frame. */
function withFrame(object: Buffer, frame: Buffer): Buffer {
  const changed = Buffer.concat([object.subarray(0, headerEnd + 12), frame]);
  return sealed(changed, (header) => header.writeUInt32LE(frame.length, headerEnd));
}

interface Fault {
  what: string;
  script: (object: Buffer) => StoreScript;
  /** Whether it is the object that is of no use, and not the store. */
  isBad?: boolean;
}

const fails = (what: string, script: StoreScript): Fault => ({ what, script: () => script });
const bad = (what: string, change: (object: Buffer) => Buffer | undefined): Fault => ({
  what,
  script: sends(change),
  isBad: true,
});

const faults: Fault[] = [
  fails("500", refuses(500, "InternalError")),
  fails("503, as of a store that is asked too often", refuses(503, "SlowDown")),
  fails("403", refuses(403, "AccessDenied")),
  fails("a redirect", answers(307, "", { location: "http://127.0.0.1:1/" })),
  fails("a whole object without its length", (_, response) => void response.writeHead(200).write("ELIOTP01")),
  fails("a part that doesn't say of what", answers(206, "ELIOTP01")),
  fails("a connection that is closed at once", (request) => request.socket.destroy()),
  fails("a connection that is reset", (request) => request.socket.resetAndDestroy()),
  fails("what is no HTTP", (request) => request.socket.end("ELIOTP01")),
  fails("no answer", () => {}),
  {
    what: "a stall in the middle",
    script: (object) => (_, response) => void whole(response, object).write(object.subarray(0, 100)),
  },
  {
    what: "a byte at a time",
    script: (object) => async (_, response) => {
      whole(response, object);
      for (const byte of object) {
        if (response.destroyed) return;
        response.write(Buffer.of(byte));
        await setTimeout(50);
      }
    },
  },
  {
    what: "a reset in the middle",
    script: (object) => async (request, response) => {
      whole(response, object).write(object.subarray(0, -9));
      await setTimeout(50);
      request.socket.resetAndDestroy();
    },
  },
  { ...fails("nothing", refuses(416, "InvalidRange")), isBad: true },
  bad("a page", () => Buffer.from("<!doctype html>".repeat(50))),
  bad("an object that was cut in its header", (object) => object.subarray(0, 50)),
  bad("an object that was cut in a frame", (object) => object.subarray(0, -1)),
  bad("an object with more behind it", (object) => Buffer.concat([object, Buffer.of(0)])),
  bad("another version", (object) => void object.write("ELIOTP99")),
  bad("a bit flipped in the header", (object) => void (object[20]! ^= 1)),
  ...[0, 0.5, 0.99].map((part) =>
    bad(`a bit flipped at ${part} of the frame`, (object) => {
      const at = headerEnd + 12 + Math.floor((object.length - headerEnd - 12) * part);
      object[at]! ^= 4;
    }),
  ),
  bad("a symcache of 2^60 bytes", (object) => sealed(object, () => object.writeBigUInt64LE(2n ** 60n, 8))),
  bad(
    "a symcache larger than the folder may be",
    (object) => void object.writeBigUInt64LE(9_000_000_000n, 8),
  ),
  bad("a frame that is said to hold 4 GB", (object) =>
    sealed(object, (header) => header.writeUInt32LE(2 ** 32 - 1, headerEnd + 4)),
  ),
  bad("a frame that holds more than is said", (object) =>
    withFrame(object, zstdCompressSync(Buffer.alloc(8e6))),
  ),
  bad("a frame that holds less than is said", (object) =>
    withFrame(object, zstdCompressSync(Buffer.alloc(9))),
  ),
  bad("a frame that is none", (object) => withFrame(object, Buffer.alloc(64, 7))),
  bad("other counts in the symcache's header", (object) =>
    sealed(object, (header) => header.writeUInt32LE(2 ** 31, 16 + 4 * 13)),
  ),
];

/** Lets an instance convert the modules and put them into the store. Gives what is there then. */
async function fill(
  harness: Harness,
  store: ScriptedS3Server,
  modules: SyntheticModule[],
): Promise<Map<string, Buffer>> {
  await harness.ask(...modules);
  await waitUntil(() => modules.every((module) => store.objects.has(objectPath(module))));
  return new Map(store.objects);
}

/** One more instance, with an empty folder. */
async function startEmpty(harness: Harness, env: Record<string, string> = {}) {
  const folder = await temporaryFolder();
  const service = await harness.start({ ELIOT_SYMBOLS_CACHE_DIR: folder.path, ...env });
  return {
    service,
    folder: folder.path,
    ask: (...modules: SyntheticModule[]) => ask(service.url, ...modules),
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function sharedCacheHealth({ url }: { url: string }): Promise<unknown[]> {
  const response = await fetch(`${url}/__heartbeat__`);
  const { checks, details } = (await response.json()) as Record<
    "checks" | "details",
    Record<string, unknown>
  >;
  return [response.status, checks["shared_cache"], details["shared_cache"]];
}

test("works as without a shared cache, whatever the shared cache responds with", async (t) => {
  const modules = faults.map((_, number) =>
    syntheticModule(`store${number}.so`, 50 + number, { inlines: true }),
  );
  await using store = await ScriptedS3Server.start();
  await using harness = await startHarness(modules, { ...store.settings, ...shortTimeouts, ...undaunted });
  const objects = await fill(harness, store, modules);
  await using empty = await startEmpty(harness);
  for (const [number, { what, script, isBad = false }] of faults.entries())
    await t.test(what, async () => {
      const module = modules[number]!;
      const path = objectPath(module);
      const object = objects.get(path)!;
      store.scripts.set(`GET ${path}`, script(object));
      // It is seen that it is replaced, and that what is sound is not.
      if (isBad) store.objects.set(path, Buffer.from("of no use"));
      assert.deepEqual(await empty.ask(module), ["right, converted"]);
      assert.deepEqual(await empty.ask(module), ["right, cached"]);
      await waitUntil(() => store.objects.get(path)?.equals(object) === true);
    });
  assert.deepEqual(await kept(empty.folder, modules), modules.map(({ name }) => name).toSorted());
});

test("downloads a large symcache in parts of a single object version", async () => {
  const modules = ["whole.so", "cut.so", "gone.so", "replaced.so"].map(largeModule);
  const [sound, cut, gone, replaced] = modules as [
    SyntheticModule,
    SyntheticModule,
    SyntheticModule,
    SyntheticModule,
  ];
  await using store = await ScriptedS3Server.start();
  await using harness = await startHarness(modules, { ...store.settings, ...undaunted });
  await fill(harness, store, modules);
  /** Lets a script have all parts but the first. */
  const later = (module: SyntheticModule, script: StoreScript) =>
    store.scripts.set(`GET ${objectPath(module)}`, (request, response) => {
      if (request.headers.range?.startsWith("bytes=0-")) store.get(objectPath(module), request, response);
      else void script(request, response);
    });
  later(cut, (request, response) => {
    response.writeHead(206, { "content-length": 5e6, "content-range": "bytes 1-2/12000000" });
    response.write(Buffer.alloc(1e6), () => request.socket.resetAndDestroy());
  });
  later(gone, refuses(404, "NoSuchKey"));
  later(replaced, (request, response) => {
    const path = objectPath(replaced);
    store.objects.set(path, store.objects.get(objectPath(sound))!);
    store.get(path, request, response);
  });
  await using empty = await startEmpty(harness);
  assert.deepEqual(await empty.ask(sound), ["right, cached"]);
  assert.ok(store.requests.filter((request) => request === `GET ${objectPath(sound)}`).length > 2);
  for (const module of [cut, gone, replaced])
    assert.deepEqual(await empty.ask(module), ["right, converted"], module.name);
  // Large ones answer before they have their names.
  const names = modules.map(({ name }) => name).toSorted();
  await waitUntil(async () => isDeepStrictEqual(await kept(empty.folder, modules), names));
});

test("downloads two large symcaches at a time, and small ones at the same time", async () => {
  const large = Array.from({ length: 4 }, (_, number) => largeModule(`large${number}.so`));
  const small = syntheticModule("small.so");
  await using store = await ScriptedS3Server.start();
  await using harness = await startHarness([...large, small], store.settings);
  await fill(harness, store, [...large, small]);
  const underWay = new Map<string, number>();
  let most = 0;
  for (const module of large) {
    const path = objectPath(module);
    store.scripts.set(`GET ${path}`, async (request, response) => {
      if (request.headers.range?.startsWith("bytes=0-")) return store.get(path, request, response);
      underWay.set(path, (underWay.get(path) ?? 0) + 1);
      most = Math.max(most, [...underWay.values()].filter((parts) => parts > 0).length);
      // As long as none of them could wait for all the others.
      await setTimeout(400);
      store.get(path, request, response);
      underWay.set(path, (underWay.get(path) ?? 0) - 1);
    });
  }
  await using empty = await startEmpty(harness, { "sharedCache.getTimeoutMs": "3000" });
  const asked = Promise.all(large.map((module) => empty.ask(module)));
  await waitUntil(() => most > 0);
  assert.deepEqual(await empty.ask(small), ["right, cached"]);
  assert.deepEqual(
    await asked,
    large.map(() => ["right, cached"]),
  );
  assert.equal(most, 2);
});

test("does not ask a failing shared cache for a while, then finds out that it has recovered", async () => {
  const modules = Array.from({ length: 8 }, (_, number) => syntheticModule(`broken${number}.so`));
  await using store = await ScriptedS3Server.start();
  await using harness = await startHarness(modules, { ...store.settings, ...shortTimeouts });
  await fill(harness, store, modules);
  for (const module of modules) store.scripts.set(`GET ${objectPath(module)}`, refuses(503, "SlowDown"));
  await using empty = await startEmpty(harness, { "sharedCache.breakerCooldownMs": "3600000" });
  assert.deepEqual(await sharedCacheHealth(empty.service), [200, "ok", undefined]);
  const asked = store.requests.length;
  for (const module of modules) assert.deepEqual(await empty.ask(module), ["right, converted"]);
  assert.equal(store.requests.slice(asked).filter((request) => request.startsWith("GET")).length, 3);

  await using mending = await startEmpty(harness, undaunted);
  for (const module of modules.slice(0, 4)) await mending.ask(module);
  const { host } = new URL(store.settings["ELIOT_SHARED_CACHE_ENDPOINT"]!);
  const messages = [`http://${host}/bucket/: ${host} responded with 503 SlowDown`];
  assert.deepEqual(await sharedCacheHealth(mending.service), [
    200,
    "warning",
    { status: "warning", messages },
  ]);
  store.scripts.clear();
  for (const module of modules.slice(4)) assert.deepEqual(await mending.ask(module), ["right, cached"]);
});

for (const [what, script] of [
  ["is full", refuses(507, "InsufficientStorage")],
  ["may not be written to", refuses(403, "AccessDenied")],
  ["breaks the connection off", (request) => request.socket.resetAndDestroy()],
  ["takes nothing", () => {}],
] as [string, StoreScript][])
  test(`answers, and uses existing objects, if the shared cache ${what}`, async () => {
    const [stored, other, another] = ["stored.so", "other.so", "another.so"].map((name) =>
      syntheticModule(name),
    ) as [SyntheticModule, SyntheticModule, SyntheticModule];
    await using store = await ScriptedS3Server.start();
    await using harness = await startHarness([stored, other, another], {
      ...store.settings,
      ...shortTimeouts,
    });
    await fill(harness, store, [stored]);
    await using empty = await startEmpty(harness);
    for (const module of [other, another]) store.scripts.set(`PUT ${objectPath(module)}`, script);
    assert.deepEqual(await empty.ask(other), ["right, converted"]);
    await waitUntil(() => store.requests.includes(`PUT ${objectPath(other)}`));
    assert.deepEqual(await empty.ask(another, stored), ["right, converted", "right, cached"]);
    await waitUntil(() => store.requests.includes(`PUT ${objectPath(another)}`));
    assert.equal(store.objects.size, 1);
  });

test("does not wait for the credential provider, and uses the shared cache once there are credentials", async () => {
  const modules = ["early.so", "late.so"].map((name) => syntheticModule(name));
  const [early, late] = modules as [SyntheticModule, SyntheticModule];
  await using store = await ScriptedS3Server.start();
  await using folder = await temporaryFolder();
  const token = join(folder.path, "token");
  await writeFile(token, "token");
  // As in a pod whose account has a role.
  const env = {
    ...store.settings,
    ...shortTimeouts,
    ...undaunted,
    AWS_ACCESS_KEY_ID: "",
    AWS_SECRET_ACCESS_KEY: "",
    AWS_CONFIG_FILE: join(folder.path, "none"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder.path, "none"),
    AWS_ROLE_ARN: "arn:aws:iam::1:role/tseliot",
    AWS_WEB_IDENTITY_TOKEN_FILE: token,
    AWS_ENDPOINT_URL_STS: store.settings["ELIOT_SHARED_CACHE_ENDPOINT"]!,
  };
  const asked = Promise.withResolvers<ServerResponse>();
  store.scripts.set("POST /", (request, response) => {
    request.resume();
    asked.resolve(response);
  });
  await using harness = await startHarness(modules, env);
  assert.deepEqual(await harness.ask(early), ["right, converted"]);
  const [, , details] = await sharedCacheHealth(harness.service);
  assert.match(JSON.stringify(details), /can't sign requests to [^ ]+: no credentials within 300 ms"/);

  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  const key = `<AccessKeyId>key</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiration}</Expiration>`; // prettier-ignore
  const result = `<AssumeRoleWithWebIdentityResult><Credentials>${key}</Credentials></AssumeRoleWithWebIdentityResult>`;
  (await asked.promise)
    .writeHead(200, { "content-type": "text/xml" })
    .end(`<AssumeRoleWithWebIdentityResponse>${result}</AssumeRoleWithWebIdentityResponse>`);
  assert.deepEqual(await harness.ask(late), ["right, converted"]);
  await waitUntil(() => store.objects.has(objectPath(late)));
});

test("exits while the credential provider is slow", async () => {
  const module = syntheticModule("keyless.so");
  await using store = await ScriptedS3Server.start();
  await using folder = await temporaryFolder();
  const file = join(folder.path, "config");
  await writeFile(file, "[default]\ncredential_process = sleep 3600\n");
  await using harness = await startHarness([module], {
    ...store.settings,
    ...shortTimeouts,
    AWS_ACCESS_KEY_ID: "",
    AWS_SECRET_ACCESS_KEY: "",
    AWS_CONFIG_FILE: file,
    AWS_SHARED_CREDENTIALS_FILE: join(folder.path, "none"),
  });
  assert.deepEqual(await harness.ask(module), ["right, converted"]);
  harness.service.signal("SIGTERM");
  assert.equal(await harness.service.exit, 0);
});

test("stores symcaches in a shared cache that does not support If-None-Match", async () => {
  const module = syntheticModule("plain.so");
  const path = objectPath(module);
  await using store = await ScriptedS3Server.start();
  await using harness = await startHarness([module], { ...store.settings, ...shortTimeouts });
  store.scripts.set(`PUT ${path}`, async (request, response) => {
    if (request.headers["if-none-match"] === undefined) await store.put(path, request, response);
    else refuses(501, "NotImplemented")(request, response);
  });
  await fill(harness, store, [module]);
  assert.deepEqual(
    store.requests.filter((request) => request.startsWith("PUT")),
    [`PUT ${path}`, `PUT ${path}`],
  );
});

test("does not count a closed connection as a failure if the shared cache already has the object", async () => {
  const known = ["one.so", "two.so", "three.so"].map((name) => syntheticModule(name));
  const last = syntheticModule("four.so");
  await using store = await ScriptedS3Server.start();
  await using harness = await startHarness([...known, last], store.settings);
  await fill(harness, store, known);
  for (const module of known) {
    store.scripts.set(`GET ${objectPath(module)}`, refuses(404, "NoSuchKey"));
    store.scripts.set(`PUT ${objectPath(module)}`, (request) => request.socket.resetAndDestroy());
  }
  await using empty = await startEmpty(harness, { "sharedCache.breakerCooldownMs": "3600000" });
  for (const module of known) assert.deepEqual(await empty.ask(module), ["right, converted"]);
  assert.deepEqual(await empty.ask(last), ["right, converted"]);
  await waitUntil(() => store.objects.has(objectPath(last)));
});

test("does not let requests wait until the shared cache has stored a symcache", async () => {
  const module = syntheticModule("kept.so");
  const path = objectPath(module);
  await using store = await ScriptedS3Server.start();
  await using harness = await startHarness([module], {
    ...store.settings,
    "sharedCache.stallTimeoutMs": "300",
  });
  let left = false;
  store.scripts.set(`PUT ${path}`, async (request, response) => {
    response.on("close", () => (left = !response.writableFinished));
    await setTimeout(1500);
    await store.put(path, request, response);
  });
  await fill(harness, store, [module]);
  assert.equal(left, false);
});

test("finishes uploads to the shared cache before it exits", async () => {
  const module = syntheticModule("last.so", 50_000);
  await using store = await ScriptedS3Server.start();
  await using harness = await startHarness([module], store.settings);
  await harness.ask(module);
  harness.service.signal("SIGTERM");
  assert.equal(await harness.service.exit, 0);
  assert.equal(store.objects.size, 1);
});

test("exits while the shared cache is slow", async () => {
  const module = syntheticModule("slow.so");
  await using store = await ScriptedS3Server.start();
  await using harness = await startHarness([module], {
    ...store.settings,
    "sharedCache.stallTimeoutMs": "3600000",
  });
  store.scripts.set(`PUT ${objectPath(module)}`, () => {});
  await harness.ask(module);
  await waitUntil(() => store.requests.length === 2);
  harness.service.signal("SIGTERM");
  assert.equal(await harness.service.exit, 0);
});
