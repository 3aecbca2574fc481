import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { checkResponse } from "./checkResponse.ts";

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
    response: () => nextResponse(socket),
    closed: new Promise((resolve) => socket.once("close", resolve)),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** The head of a request for symbols with a body of so many bytes. */
export function postHead(length: number, more = ""): string {
  return `POST /symbolicate/v5 HTTP/1.1\r\nHost: x\r\nDebug: true\r\n${more}Content-Length: ${length}\r\n\r\n`;
}

/** The next complete response, by its Content-Length. */
async function nextResponse(socket: Socket): Promise<Answer> {
  if (socket.destroyed) throw new Error("the connection has ended");
  const pieces: Uint8Array[] = [];
  let received = 0;
  let head: string | undefined;
  for (let whole = Infinity; received < whole;) {
    const piece = await nextPiece(socket);
    if (!piece) throw new Error(`the connection ended after ${received} bytes, ${head ?? "no head"}`);
    pieces.push(piece);
    received += piece.length;
    if (head !== undefined) continue;
    const text = Buffer.concat(pieces).toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    head = text.slice(0, end).toLowerCase();
    whole = end + 4 + Number(/content-length: ([0-9]+)/.exec(head)?.[1]);
  }
  const bytes = Buffer.concat(pieces);
  const status = Number(bytes.toString("latin1", 0, 12).split(" ")[1]);
  const response = { status, head: head ?? "", body: bytes.subarray((head?.length ?? 0) + 4).toString() };
  const contentType = /content-type: (.*)\r/.exec(`${head}\r`)?.[1] ?? "";
  checkResponse({ ...response, method: "POST", path: "/symbolicate/v5", contentType });
  return response;
}

/** Undefined where the connection ends. */
function nextPiece(socket: Socket): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const done = (piece?: Uint8Array) => {
      socket.pause().off("data", done).off("close", end);
      resolve(piece);
    };
    const end = () => done();
    socket.on("data", done).on("close", end).resume();
  });
}
