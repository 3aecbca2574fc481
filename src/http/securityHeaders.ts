import type { RequestHandler } from "express";
import helmet from "helmet";

/** For JSON, which is never shown as a page of ours, and is for pages of all origins. */
export const jsonHeaders = headersFor({
  defaultSrc: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
});

/** For pages: what they load and ask is of this origin, in files of its own. Take the place of those for JSON. */
export const pageHeaders = headersFor({
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
});

function headersFor(directives: Record<string, string[]>): RequestHandler {
  return helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    crossOriginResourcePolicy: { policy: "cross-origin" },
    xFrameOptions: { action: "deny" },
  });
}
