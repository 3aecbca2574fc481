import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./balancer.ts";
import { temporaryFolder } from "./service.ts";
import { waitUntil } from "./waitUntil.ts";

/** Why there can be no store. Where `CI` is set there has to be one. */
export const noS3Server =
  spawnSync("versitygw", ["--version"]).error && !process.env["CI"]
    ? "needs versitygw in the PATH: scripts/install-versitygw.sh"
    : false;

/** An S3 server over a folder, with a bucket. */
export async function startS3Server() {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await temporaryFolder());
  const bucket = join(folder.path, "symcaches");
  await mkdir(bucket);
  const address = `127.0.0.1:${await freePort()}`;
  let child: ChildProcess;
  const start = async () => {
    child = spawn("versitygw", ["--port", address, "--quiet", "--health", "/health", "posix", folder.path], {
      env: { ...process.env, ROOT_ACCESS_KEY_ID: "key", ROOT_SECRET_ACCESS_KEY: "secret" },
      stdio: "ignore",
    });
    await waitUntil(() =>
      fetch(`http://${address}/health`).then(
        () => true,
        () => false,
      ),
    );
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  await start();
  starting.defer(kill);
  const running = starting.move();
  const pathOf = (key: string) => join(bucket, "tests/v1", `${key}.symc.zst`);
  return {
    /** What a service needs to know of it. */
    settings: {
      ELIOT_SHARED_CACHE_URL: "s3://symcaches/tests",
      ELIOT_SHARED_CACHE_ENDPOINT: `http://${address}`,
      AWS_ACCESS_KEY_ID: "key",
      AWS_SECRET_ACCESS_KEY: "secret",
    },
    /** The file that an object is, by its module's key: `name/ID`. */
    pathOf,
    /** Resolves when these modules are there. */
    async holds(keys: string[]) {
      await waitUntil(() => keys.every((key) => existsSync(pathOf(key))));
    },
    /** Kills it, and gives what starts it again. */
    async stop() {
      await kill();
      return start;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
