/**
 * A symbol server: `node symbolServer.ts FOLDER` serves the folder's sym files at /plain/, and gzipped ones at /gzip/.
 * It prints its address.
 */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const folder = process.argv[2] ?? ".";

const server = createServer((request, response) => {
  const [, encoding, path = ""] = /^\/(plain|gzip)\/(.*)$/.exec(decodeURI(request.url ?? "")) ?? [];
  const file = join(folder, encoding === "gzip" ? `${path}.gz` : path);
  const size = encoding && statSync(file, { throwIfNoEntry: false })?.size;
  if (!size) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "Content-Length": size,
    ...(encoding === "gzip" ? { "Content-Encoding": "gzip" } : {}),
  });
  createReadStream(file, { highWaterMark: 1024 * 1024 }).pipe(response);
});
server.listen(0, "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
// The parent is gone.
process.on("disconnect", () => process.exit());
