import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import type { Readable } from "node:stream";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { SignatureV4 } from "@smithy/signature-v4";
import { Agent, request, type Dispatcher } from "undici";
import type { Config } from "../config/config.ts";
import { discardBody } from "../async/discardBody.ts";
import { abortable } from "../async/abortable.ts";
import { withTimeout } from "../async/withTimeout.ts";
import { badObject, SharedCacheFault } from "./sharedCacheFault.ts";

export type ObjectStoreSettings = Pick<
  Config,
  | "awsAccessKeyId"
  | "awsRegion"
  | "awsSecretAccessKey"
  | "awsSessionToken"
  | "sharedCacheBucket"
  | "sharedCacheEndpoint"
  | "sharedCachePatience"
  | "sharedCacheTimeout"
>;

/** Bytes of an object while they arrive. */
export interface ObjectBytes {
  body: AsyncIterable<Uint8Array>;
  /** Of the whole object. */
  objectBytes: number;
  /** Whether the body is the whole object, also where a part was asked for. */
  isWhole: boolean;
  /** Tells the object from another that takes its place. */
  etag: string | undefined;
}

interface NewObject {
  body: () => Readable;
  bytes: number;
  /** Of all its bytes, in hex. */
  sha256: string;
}

const emptySha256 = createHash("sha256").digest("hex");
/** Connections for one symcache's parts, and for those of others beside it. */
const connections = 64;
/** Bytes of a body that wait to be read. */
const highWaterMark = 1024 * 1024;

/** A bucket of an S3-compatible object store, from a prefix on. Redirects are not followed. */
export class ObjectStore implements AsyncDisposable {
  readonly #base: URL;
  readonly #signer: SignatureV4;
  readonly #agent: Agent;
  readonly #patience: number;
  /** Milliseconds to take a piece of an object, and to answer when it has all: nobody waits for that. */
  readonly #putPatience: number;
  /** Whether the store knows If-None-Match; some don't. */
  #knowsCondition = true;

  constructor(settings: ObjectStoreSettings) {
    const { awsRegion: region, awsAccessKeyId: accessKeyId, awsSecretAccessKey, awsSessionToken } = settings;
    this.#base = baseUrl(settings);
    const given = { accessKeyId, secretAccessKey: awsSecretAccessKey, sessionToken: awsSessionToken };
    const credentials = accessKeyId === "" ? defaultProvider() : given;
    this.#signer = new SignatureV4({
      service: "s3",
      region,
      credentials,
      sha256: Sha256,
      uriEscapePath: false,
      applyChecksum: false,
    });
    const timeout = settings.sharedCachePatience;
    this.#patience = timeout;
    this.#putPatience = Math.max(timeout, settings.sharedCacheTimeout);
    this.#agent = new Agent({
      allowH2: false,
      connections,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      connect: { timeout },
    });
  }

  /** Where it is, for a person. */
  get address(): string {
    return this.#base.href;
  }

  /**
   * Bytes of an object from `from` until `to`, both inclusive, or until its end; `etag`: of this object and no other. Undefined
   * where there is none of that name. Throws a SharedCacheFault.
   */
  async get(
    key: string,
    { from, to, etag }: { from: number; to: number; etag?: string | undefined },
    signal: AbortSignal,
  ): Promise<ObjectBytes | undefined> {
    const headers = { range: `bytes=${from}-${to}`, ...(etag !== undefined && { "if-match": etag }) };
    const response = await this.#send("GET", key, headers, { signal });
    const { statusCode, body } = response;
    if (statusCode === 404) {
      discardBody(body);
      return undefined;
    }
    if (statusCode === 416 && from === 0) throw badObject("nothing in it", await this.#refusal(response));
    if (statusCode !== 200 && statusCode !== 206) throw await this.#refusal(response);
    const total = statusCode === 200 ? response.headers["content-length"] : rangeTotal(response);
    const objectBytes = Number(total);
    if (!Number.isSafeInteger(objectBytes)) {
      body.destroy();
      throw new SharedCacheFault(`${this.#base.host} doesn't say how large its object is`);
    }
    const tag = response.headers["etag"];
    return {
      body,
      objectBytes,
      isWhole: statusCode === 200,
      etag: typeof tag === "string" ? tag : undefined,
    };
  }

  /** Stores an object, whole or not at all. Unless it may `replace` another, false where there is one. Throws a SharedCacheFault. */
  async put(
    key: string,
    object: NewObject,
    { replace, signal }: { replace: boolean; signal: AbortSignal },
  ): Promise<boolean> {
    const isConditional = this.#knowsCondition && !replace;
    const headers = {
      "content-length": String(object.bytes),
      "x-amz-content-sha256": object.sha256,
      ...(isConditional && { "if-none-match": "*" }),
    };
    let response;
    try {
      response = await this.#send("PUT", key, headers, { body: object.body(), signal });
    } catch (error) {
      // A store that has it may refuse another one while that is being sent, and close the connection: the answer is lost.
      if (isConditional && !signal.aborted && (await this.#has(key, signal))) return false;
      throw error;
    }
    const { statusCode } = response;
    // 409: another one is being stored just now.
    const isKnown = isConditional && (statusCode === 412 || statusCode === 409);
    const isUnknownCondition = isConditional && statusCode === 501;
    if (statusCode !== 200 && !isKnown && !isUnknownCondition) throw await this.#refusal(response);
    discardBody(response.body);
    if (!isUnknownCondition) return !isKnown;
    this.#knowsCondition = false;
    return await this.put(key, object, { replace, signal });
  }

  async #has(key: string, signal: AbortSignal): Promise<boolean> {
    const response = await this.#send("HEAD", key, {}, { signal }).catch(() => undefined);
    if (response) discardBody(response.body);
    return response?.statusCode === 200;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #send(
    method: "GET" | "HEAD" | "PUT",
    key: string,
    headers: Record<string, string>,
    { body, signal }: { body?: Readable; signal: AbortSignal },
  ): Promise<Dispatcher.ResponseData> {
    const path = this.#base.pathname + key.split("/").map(encode).join("/");
    const { host, origin } = this.#base;
    // Its errors are the request's.
    body?.on("error", () => {});
    try {
      const { host: _, ...sent } = await this.#sign(method, path, headers, signal);
      // As it was signed: an URL object may write a path otherwise.
      const response = await request(origin + path, {
        method,
        headers: { ...sent, "user-agent": "tseliot/1.0" },
        body: body ?? null,
        dispatcher: this.#agent,
        ...(method === "PUT" && { headersTimeout: this.#putPatience }),
        signal,
        highWaterMark,
      });
      // Its errors reach whoever reads it. Where nobody does any more, they are nobody's.
      response.body.on("error", () => {});
      return response;
    } catch (error) {
      if (error instanceof SharedCacheFault) throw error;
      throw new SharedCacheFault(`can't get an answer of ${host}: ${messageOf(error)}`, { cause: error });
    } finally {
      body?.destroy();
    }
  }

  /**
   * All headers of a request. What gives the key, a service or a program, may fail as the store may, and take as long: nobody
   * waits for it on and on. Throws a SharedCacheFault.
   */
  async #sign(
    method: string,
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Record<string, string>> {
    const { protocol, host, hostname, port } = this.#base;
    const signed = this.#signer.sign({
      method,
      protocol,
      hostname,
      ...(port !== "" && { port: Number(port) }),
      path,
      query: {},
      headers: { "x-amz-content-sha256": emptySha256, ...headers, host },
    });
    try {
      const late = () => new Error(`no key within ${this.#patience} ms`);
      return (await withTimeout(this.#patience, abortable(signed, signal), late)).headers;
    } catch (error) {
      throw new SharedCacheFault(`can't sign what ${host} is asked: ${messageOf(error)}`, { cause: error });
    }
  }

  /** What an answer says that is none of those wanted: `<Error><Code>AccessDenied</Code>…`. */
  async #refusal(response: Dispatcher.ResponseData): Promise<SharedCacheFault> {
    const text = await start(response.body).catch(() => "");
    const [, code] = /<Code>(\w{1,60})<\/Code>/.exec(text) ?? [];
    const said = code === undefined ? "" : ` ${code}`;
    return new SharedCacheFault(`${this.#base.host} answered ${response.statusCode}${said}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `https://bucket.s3.eu-west-1.amazonaws.com/prefix/`; other stores have buckets in their paths. */
function baseUrl({ sharedCacheBucket, sharedCacheEndpoint, awsRegion }: ObjectStoreSettings): URL {
  const { name, prefix } = sharedCacheBucket;
  const amazon = `s3.${awsRegion}.amazonaws.com`;
  // No certificate is for a bucket with a dot in its name.
  const isPath = sharedCacheEndpoint !== "" || name.includes(".");
  const host = isPath ? sharedCacheEndpoint || `https://${amazon}` : `https://${name}.${amazon}`;
  const folders = [isPath ? name : "", prefix].filter((folder) => folder !== "");
  return new URL(folders.map((folder) => `${folder}/`).join(""), host);
}

/** As signatures want it: all but letters, digits and `-._~`. */
function encode(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** `bytes 0-8388607/118000000` → `118000000` */
function rangeTotal({ headers }: Dispatcher.ResponseData): string | undefined {
  return /^bytes [0-9]+-[0-9]+\/([0-9]+)$/.exec(String(headers["content-range"]))?.[1];
}

const longestError = 4096;

async function start(body: Dispatcher.ResponseData["body"]): Promise<string> {
  let text = "";
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    text += Buffer.from(piece).toString("latin1");
    if (text.length >= longestError) break;
  }
  return text;
}

/** What the signer hashes with. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
