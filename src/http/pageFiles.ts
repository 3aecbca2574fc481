import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { extname } from "node:path";
import { parentPort } from "node:worker_threads";

/** A file as it is sent. */
export interface PageFile {
  /** An extension that Express knows the content type of. */
  type: string;
  body: Uint8Array<ArrayBuffer>;
  etag: string;
}

/** Folders and the paths that their files are served under. */
const folders = [
  ["../../web/", ""],
  ["../captures/", "captures/"],
] as const;

/** Reads the files of the page by path below /static/, `index.html` included. TypeScript becomes JavaScript. */
function readPageFiles(): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const [folder, prefix] of folders) {
    const url = new URL(folder, import.meta.url);
    for (const name of readdirSync(url)) {
      const extension = extname(name);
      if (name === "tsconfig.json") continue;
      if (![".ts", ".css", ".svg", ".html", ".json"].includes(extension)) continue;
      const text = readFileSync(new URL(name, url), "utf8");
      const isTypeScript = extension === ".ts";
      const body = new TextEncoder().encode(isTypeScript ? toJavaScript(text) : text);
      const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
      const path = prefix + (isTypeScript ? name.replace(/ts$/, "js") : name);
      files.set(path, { type: extname(path), body, etag });
    }
  }
  return files;
}

/** Imports name files in the repository; the browser needs them relative to /static/. */
function toJavaScript(text: string): string {
  return stripTypeScriptTypes(text).replaceAll(
    /(?<= from ")(\.\.\/src\/captures\/|\.\/)(\w+)\.ts(?=";)/g,
    (_, folder: string, name: string) => `${folder === "./" ? "./" : "./captures/"}${name}.js`,
  );
}

const files = readPageFiles();
parentPort?.postMessage(
  files,
  Array.from(files.values(), ({ body }) => body.buffer),
);
