import { createSocket } from "node:dgram";
import { once } from "node:events";

/** Addresses of a name; undefined: no answer comes. */
export type Zone = (name: string) => string[] | undefined;

/** A name server at 127.0.0.1:53, which answers for IPv4 addresses that nobody must remember. */
export async function startNameServer(zone: Zone): Promise<{ zone: Zone } & AsyncDisposable> {
  const socket = createSocket("udp4").bind(53, "127.0.0.1");
  await once(socket, "listening");
  const server = {
    zone,
    async [Symbol.asyncDispose]() {
      socket.close();
    },
  };
  socket.on("message", (query, { port, address }) => {
    const labels = [];
    let at = 12;
    for (; query[at] !== 0; at += 1 + query[at]!)
      labels.push(query.toString("latin1", at + 1, at + 1 + query[at]!));
    const question = query.subarray(12, at + 5);
    const isIPv4 = query.readUInt16BE(at + 1) === 1;
    const addresses = isIPv4 ? server.zone(labels.join(".")) : [];
    if (!addresses) return;
    const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, addresses.length, 0, 0, 0, 0]);
    // The name as above, IPv4, internet, no time to live.
    const responses = addresses.map((ip) => [
      0xc0,
      12,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      4,
      ...ip.split(".").map(Number),
    ]);
    socket.send(
      Buffer.concat([head, question, ...responses.map((bytes) => Buffer.from(bytes))]),
      port,
      address,
    );
  });
  return server;
}
