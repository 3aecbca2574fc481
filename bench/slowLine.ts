/** A process that forwards TCP connections at a limited rate: `node bench/slowLine.ts PORT BYTES_PER_SECOND`. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";

const [port = 0, bytesPerSecond = 0] = process.argv.slice(2).map(Number);
/** About what a router's queue holds. */
const pieceBytes = 32 * 1024;

const server = createServer((client) => {
  const service = connect(port, "127.0.0.1");
  for (const socket of [client, service]) socket.setNoDelay(true).on("error", () => socket.destroy());
  void forward(client, service);
  void forward(service, client);
}).listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

async function forward(from: Socket, to: Socket): Promise<void> {
  let freeAt = performance.now();
  try {
    for await (const chunk of from as AsyncIterable<Buffer>)
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        const piece = chunk.subarray(at, at + pieceBytes);
        freeAt = Math.max(freeAt, performance.now()) + (1000 * piece.length) / bytesPerSecond;
        const waitMs = freeAt - performance.now();
        if (waitMs > 1) await setTimeout(waitMs);
        to.write(piece);
      }
    to.end();
  } catch {
    to.destroy();
  }
}

process.on("disconnect", () => process.exit());
process.channel?.unref();
