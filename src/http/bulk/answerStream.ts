import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { limitAnswerTime } from "../responseTimeout.ts";
import { HttpError } from "../httpError.ts";

/** The client is gone, or takes nothing of its answer for too long: nobody is there to tell. */
export class ClientLeft extends Error {
  override name = "ClientLeft";
}

/** What all streams may keep on disk together. */
export interface Spool {
  /** An empty file that is gone once it is closed. */
  openFile: () => Promise<FileHandle>;
  bytesLeft: number;
}

/** Milliseconds that a client which still sends may take nothing, before what comes next goes to disk. */
const patience = 2000;
/** Bytes that are read back at a time. */
const pieceBytes = 256 * 1024;

/**
 * An answer that goes out while the request still comes in. Whoever writes waits for a client that is slow to read. Many
 * clients don't read before they have sent all: for one that takes nothing while it is waited for, what comes next is kept
 * on disk, and sent from there as soon as it reads.
 */
export class AnswerStream implements AsyncDisposable {
  readonly #response: ServerResponse;
  readonly #spool: Spool;
  readonly #answerTimeout: number;
  #file: FileHandle | undefined;
  #isKeeping = false;
  /** What of the file has not been sent. */
  #start = 0;
  #end = 0;
  /** What the stream takes of the spool. */
  #kept = 0;
  /** Until the client has taken all that was written. */
  #sending: Promise<void> | undefined;
  /** When it took something last, on the performance clock. */
  #taken = performance.now();

  /** `answerTimeout`: milliseconds after which a client that takes nothing is given up. */
  constructor(response: ServerResponse, spool: Spool, answerTimeout: number) {
    this.#response = response;
    this.#spool = spool;
    this.#answerTimeout = answerTimeout;
  }

  /**
   * Writes all of a line, or nothing where it throws: a ClientLeft, or an HttpError where there is no room on disk. Resolves
   * once more may be written.
   */
  async write(line: Buffer[]): Promise<void> {
    if (this.#sending) await this.#keep(line);
    else this.#send(line);
    await this.#waitForClient();
  }

  /** What was written is on its way already. */
  async flush(): Promise<void> {}

  /** Resolves once all has been sent, with `last` behind it. Throws a ClientLeft. */
  async end(last: Buffer[]): Promise<void> {
    await this.#sending;
    if (this.#response.closed) throw new ClientLeft();
    this.#send(last);
    await this.#sending;
    limitAnswerTime(this.#response, this.#answerTimeout);
    this.#response.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sending?.catch(() => {});
    await this.#closeFile();
  }

  /** Until it has taken all, or takes nothing though more of its request is to come. */
  async #waitForClient(): Promise<void> {
    while (this.#sending) {
      const left = this.#taken + patience - performance.now();
      if (this.#response.req.complete) await this.#sending;
      else if (left <= 0) return;
      else await atMost(left, this.#sending);
    }
    if (this.#response.closed) throw new ClientLeft();
  }

  #send(line: Buffer[]): void {
    for (const slice of line) this.#response.write(slice);
    if (!this.#response.writableNeedDrain) return;
    this.#taken = performance.now();
    this.#startSending();
  }

  async #keep(line: Buffer[]): Promise<void> {
    const bytes = line.reduce((sum, slice) => sum + slice.length, 0);
    if (bytes > this.#spool.bytesLeft) throw unread("there is no room for more");
    this.#spool.bytesLeft -= bytes;
    this.#kept += bytes;
    this.#isKeeping = true;
    try {
      this.#file ??= await this.#spool.openFile();
      const { bytesWritten } = await this.#file.writev(line, this.#end);
      if (bytesWritten < bytes) throw new Error("the disk is full");
    } catch (error) {
      throw unread(String(error));
    }
    this.#end += bytes;
    this.#isKeeping = false;
    // Meanwhile all before it may have gone out.
    if (!this.#sending) this.#startSending();
  }

  #startSending(): void {
    this.#sending = this.#sendRest();
    // Whoever writes next learns of it.
    this.#sending.catch(() => {});
  }

  async #sendRest(): Promise<void> {
    for (;;) {
      if (this.#response.writableNeedDrain) await drained(this.#response, this.#answerTimeout);
      this.#taken = performance.now();
      if (!this.#file || this.#start === this.#end) break;
      const piece = Buffer.allocUnsafe(Math.min(pieceBytes, this.#end - this.#start));
      const { bytesRead } = await this.#file.read(piece, 0, piece.length, this.#start);
      if (bytesRead === 0) throw new Error("what was kept on disk is gone");
      this.#start += bytesRead;
      this.#response.write(piece.subarray(0, bytesRead));
    }
    this.#sending = undefined;
    if (!this.#isKeeping) await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#start = 0;
    this.#end = 0;
    this.#spool.bytesLeft += this.#kept;
    this.#kept = 0;
    await file?.close();
  }
}

function unread(fault: string): HttpError {
  return new HttpError(413, `answers can't wait to be read, read them while you send: ${fault}`);
}

async function atMost(milliseconds: number, promise: Promise<void>): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, milliseconds);
  await Promise.race([promise, timeout.promise]).finally(() => clearTimeout(timer));
}

/** Until the client has taken what was written. Ends its connection where it takes longer than so many milliseconds. */
async function drained(response: ServerResponse, milliseconds: number): Promise<void> {
  const taken = Promise.withResolvers<void>();
  const leave = () => taken.reject(new ClientLeft());
  const timer = setTimeout(() => response.destroy(), milliseconds);
  response.once("drain", taken.resolve).once("close", leave);
  if (response.closed) leave();
  await taken.promise.finally(() => {
    clearTimeout(timer);
    response.off("drain", taken.resolve).off("close", leave);
  });
}
