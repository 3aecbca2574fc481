import { once } from "node:events";
import { createServer, request, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

const rounds = 40;

/**
 * Lets `app` answer a body again and again, until V8 has compiled what requests need for speed: the first ones take ten
 * times as long as later ones. It is asked on a port that nobody is told of.
 */
export async function warmUp(app: RequestListener, body: string): Promise<void> {
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    for (let round = 0; round < rounds; round++) await post(port, body);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function post(port: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: "127.0.0.1", method: "POST", path: "/symbolicate/v5" });
    asked.on("error", reject).on("response", (answer) => {
      answer.on("error", reject).on("end", resolve).resume();
    });
    asked.end(body);
  });
}
