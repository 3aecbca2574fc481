import { createSocket } from "node:dgram";
import { once } from "node:events";

/** A statsd server on loopback: every metric that it was sent, as `eliot.pageview:1|c|#host:test,method:get`, tags in order. */
export async function startStatsdServer() {
  const socket = createSocket("udp4");
  const metrics: string[] = [];
  let arrived = Promise.withResolvers<void>();
  socket.on("message", (datagram) => {
    for (const metric of datagram.toString().split("\n")) metrics.push(withSortedTags(metric));
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    env: {
      ELIOT_STATSD_HOST: "127.0.0.1",
      ELIOT_STATSD_PORT: String(socket.address().port),
    },
    /** All metrics so far with `#` for their numbers, without repeats and sorted, once `last` is among them. */
    async received(last: RegExp): Promise<string[]> {
      while (!metrics.some((metric) => last.test(metric))) await arrived.promise;
      return [...new Set(metrics.map((metric) => metric.replace(/:[0-9.]+\|/, ":#|")))].toSorted();
    },
    /** How many metrics of that name came so far. */
    count: (name: string) => metrics.filter((metric) => metric.startsWith(`eliot.${name}:`)).length,
    clear: () => void metrics.splice(0),
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}

function withSortedTags(metric: string): string {
  const [head, tags = ""] = metric.split("|#");
  return `${head}|#${tags.split(",").toSorted().join(",")}`;
}
