import cors from "cors";
import type { RequestHandler, Router } from "express";
import { HttpError } from "./httpError.ts";

/** Lets a router answer one method on a path, HEAD like GET, preflights for it, and 405 to all others. */
export function allow(router: Router, path: string, method: "get" | "post", handler: RequestHandler): void {
  const methods = method.toUpperCase();
  const allowed = `${methods}, OPTIONS`;
  const route = router.route(path);
  route[method](handler);
  route.options(
    (_request, response, next) => {
      response.set("Allow", allowed);
      next();
    },
    cors((request, decide) =>
      decide(null, {
        methods,
        allowedHeaders: request.headers["access-control-request-headers"] ?? "*",
        maxAge: 86_400,
        optionsSuccessStatus: 200,
      }),
    ),
  );
  route.all((_request, response) => {
    response.set("Allow", allowed);
    throw new HttpError(405);
  });
}
