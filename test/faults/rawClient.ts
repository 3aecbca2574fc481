import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { checkAnswer } from "../checkAnswer.ts";

export interface Answer {
  status: number;
  /** In lower case. */
  head: string;
  body: string;
}

/** A client that sends byte by byte what it is told to, and reads only when it is told to. */
export async function rawClient(url: string) {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.pause();
  return {
    socket,
    send: (bytes: string | Uint8Array) => void socket.write(bytes),
    answer: () => nextAnswer(socket),
    closed: new Promise((resolve) => socket.once("close", resolve)),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** The head of a request for symbols with a body of so many bytes. */
export function postHead(length: number, more = ""): string {
  return `POST /symbolicate/v5 HTTP/1.1\r\nHost: x\r\nDebug: true\r\n${more}Content-Length: ${length}\r\n\r\n`;
}

/** The next whole answer, as its Content-Length says. */
async function nextAnswer(socket: Socket): Promise<Answer> {
  let bytes = Buffer.alloc(0);
  if (socket.destroyed) throw new Error("the connection has ended");
  for (;;) {
    const text = bytes.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    const head = text.slice(0, end).toLowerCase();
    const length = Number(/content-length: ([0-9]+)/.exec(head)?.[1] ?? NaN);
    if (end >= 0 && bytes.length >= end + 4 + length) {
      socket.pause();
      const answer = { status: Number(text.split(" ")[1]), head, body: bytes.subarray(end + 4).toString() };
      const contentType = /content-type: (.*)\r/.exec(`${head}\r`)?.[1] ?? "";
      checkAnswer({ ...answer, method: "POST", path: "/symbolicate/v5", contentType });
      return answer;
    }
    const piece = await new Promise<Uint8Array | undefined>((resolve) => {
      socket
        .once("data", resolve)
        .once("close", () => resolve(undefined))
        .resume();
    });
    if (!piece) throw new Error(`the connection ended after ${text.slice(0, 200)}`);
    bytes = Buffer.concat([bytes, piece]);
  }
}
