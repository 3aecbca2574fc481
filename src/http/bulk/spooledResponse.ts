import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { MemoryShare } from "../admission.ts";
import { ClientLeft } from "../clientLeft.ts";
import { limitResponseTime } from "../connections.ts";
import { HttpError } from "../httpError.ts";
import { drainRequest } from "../readBody.ts";

/** The disk space that all responses share. */
export interface Spool {
  /** Opens an empty file that is deleted when it is closed. */
  openFile: () => Promise<FileHandle>;
  bytesLeft: number;
}

/** How long a client that still sends may read nothing before lines go to disk. */
const slowReadMs = 2000;
const readBackBytes = 256 * 1024;

/**
 * A response that is sent while the request is still received. Writing waits for a client that reads slowly. But many clients
 * read nothing before they have sent everything: for them, lines are spooled to disk and sent as soon as the client reads.
 */
export class SpooledResponse implements AsyncDisposable {
  readonly #response: ServerResponse;
  readonly #spool: Spool;
  readonly #memory: MemoryShare;
  readonly #timeoutMs: number;
  #file: FileHandle | undefined;
  #isWritingFile = false;
  /** The range of the file that has not been sent. */
  #start = 0;
  #end = 0;
  /** The bytes of the spool that this response uses. */
  #spooledBytes = 0;
  /** Resolves when the client has read everything. */
  #sending: Promise<void> | undefined;
  /** When the client last read something, on the performance clock. */
  #lastReadAt = performance.now();

  /** What the client has not read is charged to `memory`. After `timeoutMs` without reading, the client is disconnected. */
  constructor(response: ServerResponse, spool: Spool, memory: MemoryShare, timeoutMs: number) {
    this.#response = response;
    this.#spool = spool;
    this.#memory = memory;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Writes a whole line, or nothing if it throws a ClientLeft, or an HttpError because the spool or the memory is full. Resolves
   * when the next line may be written.
   */
  async write(line: Buffer[]): Promise<void> {
    if (this.#sending) await this.#writeFile(line);
    else this.#send(line);
    await this.#waitForClient();
  }

  /** Does nothing, because nothing is buffered. */
  async flush(): Promise<void> {}

  /** Resolves when everything and `last` have been sent. Throws a ClientLeft. */
  async end(last: Buffer[]): Promise<void> {
    await this.#sending;
    if (this.#response.closed) throw new ClientLeft();
    this.#send(last);
    await this.#sending;
    limitResponseTime(this.#response, this.#timeoutMs);
    // Otherwise Node closes the connection after the response.
    if (!this.#response.shouldKeepAlive) await drainRequest(this.#response.req);
    this.#response.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sending?.catch(() => {});
    await this.#closeFile();
  }

  /** Resolves when the client has read everything, or when it still sends its request but reads nothing. */
  async #waitForClient(): Promise<void> {
    while (this.#sending) {
      const leftMs = this.#lastReadAt + slowReadMs - performance.now();
      if (this.#response.req.complete) await this.#sending;
      else if (leftMs <= 0) return;
      else await settledOrTimeout(this.#sending, leftMs);
    }
    if (this.#response.closed) throw new ClientLeft();
  }

  #send(line: Buffer[]): void {
    this.#memory.reserve(byteLength(line));
    for (const slice of line) this.#response.write(slice);
    if (!this.#response.writableNeedDrain) return this.#memory[Symbol.dispose]();
    this.#lastReadAt = performance.now();
    this.#startSending();
  }

  async #writeFile(line: Buffer[]): Promise<void> {
    const bytes = byteLength(line);
    if (bytes > this.#spool.bytesLeft) throw spoolError("there is no room for more");
    this.#spool.bytesLeft -= bytes;
    this.#spooledBytes += bytes;
    this.#isWritingFile = true;
    try {
      this.#file ??= await this.#spool.openFile();
      const { bytesWritten } = await this.#file.writev(line, this.#end);
      if (bytesWritten < bytes) throw new Error("the disk is full");
    } catch (error) {
      throw spoolError(String(error));
    }
    this.#end += bytes;
    this.#isWritingFile = false;
    // Everything before it may have been sent meanwhile.
    if (!this.#sending) this.#startSending();
  }

  #startSending(): void {
    this.#sending = this.#sendRest();
    // The next write() reports the error.
    this.#sending.catch(() => {});
  }

  async #sendRest(): Promise<void> {
    for (;;) {
      if (this.#response.writableNeedDrain) await drained(this.#response, this.#timeoutMs);
      this.#memory[Symbol.dispose]();
      this.#lastReadAt = performance.now();
      if (!this.#file || this.#start === this.#end) break;
      const piece = Buffer.allocUnsafe(Math.min(readBackBytes, this.#end - this.#start));
      const { bytesRead } = await this.#file.read(piece, 0, piece.length, this.#start);
      if (bytesRead === 0) throw new Error("a spooled response was truncated");
      this.#start += bytesRead;
      this.#response.write(piece.subarray(0, bytesRead));
    }
    this.#sending = undefined;
    if (!this.#isWritingFile) await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#start = 0;
    this.#end = 0;
    this.#spool.bytesLeft += this.#spooledBytes;
    this.#spooledBytes = 0;
    await file?.close();
  }
}

function byteLength(line: Buffer[]): number {
  return line.reduce((sum, slice) => sum + slice.length, 0);
}

function spoolError(cause: string): HttpError {
  return new HttpError(413, `the response cannot be buffered, read it while you send the request: ${cause}`);
}

async function settledOrTimeout(promise: Promise<void>, timeoutMs: number): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, timeoutMs);
  await Promise.race([promise, timeout.promise]).finally(() => clearTimeout(timer));
}

/** Resolves when the client has read what was written. Disconnects a client that takes too long, and throws a ClientLeft. */
async function drained(response: ServerResponse, timeoutMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const leave = () => reject(new ClientLeft());
  const timer = setTimeout(() => response.destroy(), timeoutMs);
  response.once("drain", resolve).once("close", leave);
  if (response.closed) leave();
  await promise.finally(() => {
    clearTimeout(timer);
    response.off("drain", resolve).off("close", leave);
  });
}
