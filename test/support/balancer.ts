import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { temporaryFolder } from "./service.ts";

const nginx = "/usr/sbin/nginx";

/** Why there can be no balancer. Where `CI` is set there has to be one. */
export const noNginx =
  spawnSync(nginx, ["-v"]).error && !process.env["CI"] ? `needs nginx as ${nginx}` : false;

/** A port of loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/**
 * nginx with deploy/compose/balancer.conf, in which nothing is changed but addresses: that it listens on, and of the instances, as
 * `127.0.0.1:8000`, which aren't names that need a resolver, and which may be more than the two.
 */
export async function startBalancer(instances: string[]): Promise<{ url: string } & AsyncDisposable> {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await temporaryFolder());
  const address = `127.0.0.1:${await freePort()}`;
  const configuration = await readFile(
    new URL("../../deploy/compose/balancer.conf", import.meta.url),
    "utf8",
  );
  const server = configuration
    .replace("listen 8000;", `listen ${address};`)
    .replace(/^resolver .*$/m, "")
    .replace(/server tseliot-1:8000 resolve (.*)\n *server tseliot-2:8000 resolve .*/, (_, options: string) =>
      instances.map((instance) => `server ${instance} ${options}`).join("\n"),
    );
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder.path}/${name};`,
  );
  // About what is in the nginx.conf of the image.
  const main = `user root; worker_processes 2; daemon off; pid ${folder.path}/pid; error_log stderr notice;
    events { worker_connections 1024; }
    http { access_log off; ${temporary.join(" ")}
      ${server}
    }`;
  const file = join(folder.path, "nginx.conf");
  await writeFile(file, main);

  const child = spawn(nginx, ["-e", "stderr", "-p", folder.path, "-c", file], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exit = once(child, "exit");
  starting.defer(async () => {
    child.kill("SIGTERM");
    await exit;
  });
  const errors: string[] = [];
  const started = Promise.withResolvers<void>();
  createInterface(child.stderr)
    .on("line", (line) => {
      if (line.includes("start worker process ")) started.resolve();
      if (!line.includes("[notice]")) errors.push(line);
    })
    .on("close", () => started.reject(new Error(`nginx ended: ${errors.join("\n")}`)));
  await started.promise;
  const running = starting.move();
  return { url: `http://${address}`, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
