import type { IncomingMessage } from "node:http";
import type { RequestHandler } from "express";
import { HttpError } from "./httpError.ts";

/** Refuses headers that HTTP/1.1 forbids, or that ask for what no server here does. */
export const checkHeaders: RequestHandler = (request, _response, next) => {
  const { expect, host } = request.headers;
  if (request.httpVersion === "1.1") {
    if (host === undefined) throw new HttpError(400);
    if (expect !== undefined && !wantsContinue(request)) throw new HttpError(417);
  }
  next();
};

/** Whether the client waits for `100 Continue` before it sends its body. */
export function wantsContinue({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === "1.1" && headers.expect?.trim().toLowerCase() === "100-continue";
}
