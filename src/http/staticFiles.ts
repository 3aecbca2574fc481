import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { HttpError } from "./httpError.ts";
import type { PageFile } from "./pageFiles.ts";
import { pageHeaders } from "./securityHeaders.ts";

type PageFiles = ReadonlyMap<string, PageFile>;

/** Serves the files of `web/` from memory: pages, single files, and all others below `/static/`. They are read on the first request. */
export function staticFiles() {
  let loading: Promise<PageFiles> | undefined;
  const load = () =>
    (loading ??= loadPageFiles().catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
  return {
    page:
      (name: string): RequestHandler =>
      async (request, response) => {
        const files = await load();
        pageHeaders(request, response, () => send(response, files.get(name)));
      },
    file:
      (name: string): RequestHandler =>
      async (_request, response) =>
        send(response, (await load()).get(name)),
    files: async (request: Request, response: Response, next: NextFunction) => {
      if (request.method !== "GET" && request.method !== "HEAD") return next();
      const path = request.path.slice(1);
      send(response, notStatic.has(path) ? undefined : (await load()).get(path));
    },
  };
}

/** Served under paths of their own. */
const notStatic = new Set(["index.html", "docs.html", "openapi.json"]);

/** In a worker, as stripping types takes a few hundred milliseconds, and prints a warning that it is experimental. */
async function loadPageFiles(): Promise<PageFiles> {
  const worker = new Worker(new URL("./pageFiles.ts", import.meta.url), {
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const [files] = (await once(worker, "message")) as [PageFiles];
  return files;
}

function send(response: Response, file: PageFile | undefined): void {
  if (!file) throw new HttpError(404);
  response.set({ "Cache-Control": "public, max-age=0", ETag: file.etag }).type(file.type);
  response.send(file.body);
}
