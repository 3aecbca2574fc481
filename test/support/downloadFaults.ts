/** What a symbol server may send in place of a whole sym file, as scripts. */
import { crc32, gzipSync } from "node:zlib";
import { reply, type Script } from "./symbolServer.ts";
import type { SyntheticModule } from "./syntheticModule.ts";

export interface DownloadFault {
  what: string;
  script: (module: SyntheticModule) => Script;
  /** The module's status. */
  status: string;
  /** Whether it is not asked for again while `sources.notFoundTtlMs` lasts. */
  isRemembered?: boolean;
  hits?: number;
}

const gzip = { "Content-Encoding": "gzip" };
const whole = ({ symFile }: SyntheticModule) => gzipSync(symFile);
const head = (...lines: string[]) => ["HTTP/1.1 200 OK", ...lines, "", ""].join("\r\n");
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const failed = (what: string, script: DownloadFault["script"]): DownloadFault => ({
  what,
  script,
  status: "download_failed",
});
const redirect = (location: string): Script => reply("302 Found", "", { Location: location });

/** Statuses that mean that a source has no sym file. */
export const absentStatuses = [
  "400 Bad Request",
  "403 Forbidden",
  "404 Not Found",
  "410 Gone",
  "414 URI Too Long",
  "451 Unavailable For Legal Reasons",
];

export const downloadFaults: DownloadFault[] = [
  ...absentStatuses.map((status) => ({
    what: status,
    script: () => reply(status),
    status: "not_found",
    isRemembered: true,
  })),
  ...["401 Unauthorized", "418 I'm a teapot", "501 Not Implemented", "204 No Content"].map((status) =>
    failed(status, () => reply(status)),
  ),
  ...["429 Too Many Requests", "500 Oh", "502 Bad Gateway", "503 Busy", "504 Gateway Timeout"].map((status) =>
    failed(status, () => reply(status)),
  ),
  failed("a connection that is closed at once", () => (socket) => socket.destroy()),
  failed("a connection that is reset", () => (socket) => socket.resetAndDestroy()),
  failed("an answer that is no HTTP", () => (socket) => socket.end("MODULE Linux x86_64 0 a.so\n")),
  failed("headers of 100 KB", () => (socket) => socket.end(head(`X: ${"x".repeat(100_000)}`))),
  failed("informational answers without end", () => (socket) => {
    const timer = setInterval(() => socket.write("HTTP/1.1 102 Processing\r\n\r\n".repeat(5)), 20);
    socket.on("close", () => clearInterval(timer));
  }),
  { what: "headers that never come", script: () => () => {}, status: "timeout" },
  {
    what: "headers that stall half-way",
    script: () => (socket) => void socket.write("HTTP/1.1 200 OK\r\nContent-"),
    status: "timeout",
  },
  {
    what: "a stall in the middle",
    script:
      ({ symFile }) =>
      (socket) =>
        void socket.write(head(`Content-Length: ${symFile.length + 9000}`) + symFile),
    status: "timeout",
  },
  {
    what: "a byte at a time",
    script: () => (socket) => {
      socket.write(head("Content-Length: 100000"));
      const timer = setInterval(() => socket.write("M"), 20);
      socket.on("close", () => clearInterval(timer));
    },
    status: "timeout",
  },
  failed("a reset in the middle", ({ symFile }) => (socket) => {
    socket.write(head(`Content-Length: ${symFile.length}`) + symFile.slice(0, -30));
    socket.resetAndDestroy();
  }),
  failed("a longer Content-Length than text", ({ symFile }) =>
    reply("200 OK", symFile, { "Content-Length": String(symFile.length + 1) }),
  ),
  failed("a chunk that is cut", ({ symFile }) => (socket) => {
    socket.end(`${head("Transfer-Encoding: chunked")}fff\r\n${symFile}`);
  }),
  failed("chunks without a last one", ({ symFile }) => (socket) => {
    socket.end(head("Transfer-Encoding: chunked") + chunk(symFile));
  }),
  failed("a chunk of no size", () => (socket) => socket.end(`${head("Transfer-Encoding: chunked")}zz\r\n`)),
  failed("gzip that is cut in half", (module) =>
    reply("200 OK", whole(module).subarray(0, whole(module).length / 2), gzip),
  ),
  failed("gzip without its last 4 bytes", (module) => reply("200 OK", whole(module).subarray(0, -4), gzip)),
  failed("gzip with a bad checksum", (module) => {
    const bytes = whole(module);
    bytes.writeUInt32LE((crc32(module.symFile) ^ 1) >>> 0, bytes.length - 8);
    return reply("200 OK", bytes, gzip);
  }),
  failed("gzip with garbage behind", (module) =>
    reply("200 OK", Buffer.concat([whole(module), Buffer.from("garbage")]), gzip),
  ),
  failed("text that ends with the connection, inside a line", ({ symFile }) => (socket) => {
    socket.end(head() + symFile.slice(0, -3));
  }),
  failed("an HTML page with 200", () => reply("200 OK", "<!doctype html><title>Sorry</title>")),
  failed("JSON with 200", () => reply("200 OK", `{"error": "MODULE not found"}`)),
  failed("an empty body", () => reply("200 OK")),
  failed("another module's sym file", (module) =>
    reply("200 OK", module.symFile.replace(module.id, `${"F".repeat(32)}0`)),
  ),
  {
    what: "a gzip bomb",
    script: ({ symFile }) => reply("200 OK", gzipSync(symFile + "\n".repeat(3_000_000)), gzip),
    status: "too_large",
    isRemembered: true,
  },
  {
    what: "text without end",
    script:
      ({ symFile }) =>
      (socket) => {
        socket.write(head("Connection: close") + symFile);
        const more = () => {
          while (!socket.destroyed && socket.write("\n".repeat(65_536)));
        };
        socket.on("drain", more);
        more();
      },
    status: "too_large",
    isRemembered: true,
  },
  {
    what: "a Content-Length past what may be downloaded",
    script:
      ({ symFile }) =>
      (socket) =>
        void socket.write(head("Content-Length: 999999999999") + symFile),
    status: "too_large",
    isRemembered: true,
  },
  {
    what: "a sym file with a bad record",
    script: ({ symFile }) => reply("200 OK", `${symFile}FUNC x\n`),
    status: "malformed",
    isRemembered: true,
  },
  { ...failed("a redirect to itself", ({ path }) => redirect(path)), hits: 4 },
  failed("a redirect to nowhere", () => reply("302 Found")),
  failed("a redirect to a file", () => redirect("file:///etc/passwd")),
  failed("a redirect to no address", () => redirect("http://[")),
  failed("a redirect to nobody", () => redirect("http://127.0.0.1:1/")),
  failed("a redirect to a name that is none", () => redirect("http://nosuch.invalid/")),
];

/** Ways that a whole sym file may come, also unusual ones. */
export const wholeDownloads: [string, (module: SyntheticModule) => Script][] = [
  [
    "in chunks of a byte",
    ({ symFile }) =>
      (socket) => {
        socket.end(`${head("Transfer-Encoding: chunked")}${symFile.split("").map(chunk).join("")}0\r\n\r\n`);
      },
  ],
  [
    "behind informational answers",
    ({ symFile }) =>
      (socket, path) => {
        socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
        return reply("200 OK", symFile)(socket, path);
      },
  ],
  ["as text that is said to be gzip", ({ symFile }) => reply("200 OK", symFile, gzip)],
  ["as gzip that doesn't say so", (module) => reply("200 OK", whole(module))],
  ["without a last newline", ({ symFile }) => reply("200 OK", symFile.trimEnd())],
  [
    "in chunks, without a last newline",
    ({ symFile }) =>
      (socket) => {
        socket.end(`${head("Transfer-Encoding: chunked")}${chunk(symFile.trimEnd())}0\r\n\r\n`);
      },
  ],
  [
    "until the connection is closed",
    ({ symFile }) =>
      (socket) =>
        socket.end(head() + symFile),
  ],
  [
    "gzipped, until the connection is closed",
    (module) => (socket) => {
      socket.write(head("Content-Encoding: gzip"));
      socket.end(gzipSync(module.symFile.trimEnd()));
    },
  ],
  [
    "gzipped in many members",
    ({ symFile }) =>
      reply("200 OK", Buffer.concat(symFile.split(/(?<=\n)/).map((line) => gzipSync(line))), gzip),
  ],
  [
    "with more behind its Content-Length",
    ({ symFile }) =>
      (socket) => {
        socket.end(`${head(`Content-Length: ${symFile.length}`, "Connection: close")}${symFile}FUNC x\n`);
      },
  ],
  [
    "after three redirects",
    (module) => {
      let hops = 0;
      return (socket, path) =>
        (hops++ < 3 ? redirect(module.path) : reply("200 OK", module.symFile))(socket, path);
    },
  ],
];
