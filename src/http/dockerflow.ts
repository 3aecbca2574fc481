import { readFile } from "node:fs/promises";
import { Router } from "express";
import type { Health, HealthCheck } from "../observability/health.ts";
import { allow } from "./allow.ts";

interface Deps {
  health: HealthCheck;
  /** `version.json`, written at build time. */
  versionFile: string | URL;
  /** Whether a SIGTERM was received. The load balancer must send requests elsewhere. */
  isDraining: () => boolean;
}

/**
 * The endpoints of https://github.com/mozilla-services/Dockerflow, which specifies:
 * "Respond to /__version__ with the contents of /app/version.json."
 * "Respond to /__heartbeat__ with a HTTP 200 or 5xx on error. This should check backing services like a database."
 * "Respond to /__lbheartbeat__ with an HTTP 200. This is for load balancer checks and should not check backing services."
 */
export function dockerflow({ health, versionFile, isDraining }: Deps): Router {
  const router = Router({ caseSensitive: true, strict: true });
  let version: Promise<string> | undefined;

  allow(router, "/__version__", "get", async (_request, response) => {
    version ??= readFile(versionFile, "utf8").catch(() => "{}");
    response.type("application/json").send(await version);
  });

  allow(router, "/__heartbeat__", "get", async (_request, response) => {
    const result = isDraining() ? draining : await health.check();
    response.status(result.status === "error" ? 503 : 200).json(result);
  });

  allow(router, "/__lbheartbeat__", "get", (_request, response) => {
    if (isDraining()) response.status(503).json(draining);
    else response.status(200).json({ status: "ok" });
  });

  for (const path of ["/__broken__", "/__error__"])
    allow(router, path, "get", () => {
      throw new Error("intentional exception");
    });

  return router;
}

const draining: Health = {
  status: "error",
  checks: { draining: "error" },
  details: { draining: { status: "error", messages: ["the service is shutting down"] } },
};
