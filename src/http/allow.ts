import cors from "cors";
import type { RequestHandler, Router } from "express";
import { HttpError } from "./httpError.ts";

/** Adds a route for one method, HEAD like GET, with a CORS preflight and a 405 for all other methods. */
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
