import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { Hash } from "@smithy/core/serde";
import { SignatureV4 } from "@smithy/signature-v4";
import { Agent, request, type Dispatcher } from "undici";
import { abortable } from "../async/abortable.ts";
import { discardBody } from "../async/discardBody.ts";
import { withTimeout } from "../async/withTimeout.ts";
import type { SharedCacheSettings } from "../config/sharedCache.ts";
import { BadObject, SharedCacheFault } from "./sharedCacheFault.ts";

/** An object, or a range of it, that is being received. */
export interface ObjectBytes {
  body: AsyncIterable<Uint8Array>;
  /** Size of the whole object. */
  objectBytes: number;
  /** Whether the body is the whole object, which some stores send for a range too. */
  isWhole: boolean;
  etag: string | undefined;
}

const emptySha256 = createHash("sha256").digest("hex");
/** Enough for all ranges of one symcache and those of a few others. */
const maxConnections = 64;
const bodyBufferBytes = 1024 * 1024;
const maxErrorBytes = 4096;

/** A bucket of an S3-compatible object store, below a prefix. Redirects are not followed. */
export class ObjectStore implements AsyncDisposable {
  readonly #base: URL;
  readonly #signer: SignatureV4;
  readonly #agent: Agent;
  readonly #timeoutMs: number;
  readonly #putTimeoutMs: number;
  /** Whether the store supports If-None-Match; some don't. */
  #isConditionSupported = true;

  constructor(settings: SharedCacheSettings) {
    const { region, accessKeyId, secretAccessKey, sessionToken, stallTimeoutMs: timeout } = settings;
    this.#base = baseUrl(settings);
    this.#signer = new SignatureV4({
      service: "s3",
      region,
      credentials: accessKeyId === "" ? defaultProvider() : { accessKeyId, secretAccessKey, sessionToken },
      sha256: Hash.bind(null, "sha256"),
      uriEscapePath: false,
      applyChecksum: false,
    });
    this.#timeoutMs = timeout;
    // An upload may take longer: no request waits for it.
    this.#putTimeoutMs = Math.max(timeout, settings.getTimeoutMs);
    this.#agent = new Agent({
      allowH2: false,
      connections: maxConnections,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      connect: { timeout },
    });
  }

  /** For messages. */
  get address(): string {
    return this.#base.href;
  }

  /**
   * The bytes of an object from `from` through `to`, or to its end; only if the object still has the `etag`, if given.
   * Undefined if there is no such object. Throws a SharedCacheFault.
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
    if (statusCode === 416 && from === 0)
      throw new BadObject("the object is empty", await this.#errorOf(response));
    if (statusCode !== 200 && statusCode !== 206) throw await this.#errorOf(response);
    const isWhole = statusCode === 200;
    const objectBytes = Number(isWhole ? response.headers["content-length"] : rangeTotal(response));
    if (!Number.isSafeInteger(objectBytes)) {
      body.destroy();
      throw new SharedCacheFault(`${this.#base.host} did not send the size of the object`);
    }
    const tag = response.headers["etag"];
    return { body, objectBytes, isWhole, etag: typeof tag === "string" ? tag : undefined };
  }

  /**
   * Stores an object as a whole; `sha256` is in hex. Without `replace`, returns false if there is one already. Throws a
   * SharedCacheFault.
   */
  async put(
    key: string,
    object: { body: () => Readable; bytes: number; sha256: string },
    { replace, signal }: { replace: boolean; signal: AbortSignal },
  ): Promise<boolean> {
    const isConditional = this.#isConditionSupported && !replace;
    const headers = {
      "content-length": String(object.bytes),
      "x-amz-content-sha256": object.sha256,
      ...(isConditional && { "if-none-match": "*" }),
    };
    let response;
    try {
      response = await this.#send("PUT", key, headers, { body: object.body(), signal });
    } catch (error) {
      // A store may reject an existing key before it has the whole body, and close the connection before we read that.
      if (isConditional && !signal.aborted && (await this.#has(key, signal))) return false;
      throw error;
    }
    const { statusCode } = response;
    // 409: the same key is being stored right now.
    const exists = isConditional && (statusCode === 412 || statusCode === 409);
    const isUnsupported = isConditional && statusCode === 501;
    if (statusCode !== 200 && !exists && !isUnsupported) throw await this.#errorOf(response);
    discardBody(response.body);
    if (!isUnsupported) return !exists;
    this.#isConditionSupported = false;
    return await this.put(key, object, { replace, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #has(key: string, signal: AbortSignal): Promise<boolean> {
    const response = await this.#send("HEAD", key, {}, { signal }).catch(() => undefined);
    if (response) discardBody(response.body);
    return response?.statusCode === 200;
  }

  async #send(
    method: "GET" | "HEAD" | "PUT",
    key: string,
    headers: Record<string, string>,
    { body, signal }: { body?: Readable; signal: AbortSignal },
  ): Promise<Dispatcher.ResponseData> {
    const path = this.#base.pathname + key.split("/").map(encodeSegment).join("/");
    const { host, origin } = this.#base;
    // The request reports the errors of its body.
    body?.on("error", () => {});
    try {
      const { host: _, ...signed } = await this.#sign(method, path, headers, signal);
      // A string, because a URL object may change the path that was signed.
      const response = await request(origin + path, {
        method,
        headers: { ...signed, "user-agent": "tseliot/1.0" },
        body: body ?? null,
        dispatcher: this.#agent,
        ...(method === "PUT" && { headersTimeout: this.#putTimeoutMs }),
        signal,
        highWaterMark: bodyBufferBytes,
      });
      // Whoever reads the body gets its errors; once it is abandoned they don't matter.
      response.body.on("error", () => {});
      return response;
    } catch (error) {
      if (error instanceof SharedCacheFault) throw error;
      throw new SharedCacheFault(`no response from ${host}`, error);
    } finally {
      body?.destroy();
    }
  }

  /**
   * All headers of a request. The credentials may come from another service or a program, so a signature may fail or hang as
   * the store itself may. Throws a SharedCacheFault.
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
      const late = () => new Error(`no credentials within ${this.#timeoutMs} ms`);
      return (await withTimeout(this.#timeoutMs, abortable(signed, signal), late)).headers;
    } catch (error) {
      throw new SharedCacheFault(`can't sign requests to ${host}`, error);
    }
  }

  /** From an error response such as `<Error><Code>AccessDenied</Code>…`. */
  async #errorOf({ statusCode, body }: Dispatcher.ResponseData): Promise<SharedCacheFault> {
    const [, code] = /<Code>(\w{1,60})<\/Code>/.exec(await readStart(body).catch(() => "")) ?? [];
    const suffix = code === undefined ? "" : ` ${code}`;
    return new SharedCacheFault(`${this.#base.host} responded with ${statusCode}${suffix}`);
  }
}

/** `https://bucket.s3.eu-west-1.amazonaws.com/prefix/`; other stores have the bucket in the path. */
function baseUrl({ bucket: { name, prefix }, endpoint, region }: SharedCacheSettings): URL {
  const amazonHost = `s3.${region}.amazonaws.com`;
  // Amazon's wildcard certificate doesn't match a bucket with a dot in its name.
  const isInPath = endpoint !== "" || name.includes(".");
  const host = isInPath ? endpoint || `https://${amazonHost}` : `https://${name}.${amazonHost}`;
  const folders = [isInPath ? name : "", prefix].filter((folder) => folder !== "");
  return new URL(folders.map((folder) => `${folder}/`).join(""), host);
}

/** Signatures require everything but letters, digits and `-._~` to be encoded. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** `bytes 0-8388607/118000000` → `118000000` */
function rangeTotal({ headers }: Dispatcher.ResponseData): string | undefined {
  return /^bytes [0-9]+-[0-9]+\/([0-9]+)$/.exec(String(headers["content-range"]))?.[1];
}

async function readStart(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const piece of body) {
    text += Buffer.from(piece).toString("latin1");
    if (text.length >= maxErrorBytes) break;
  }
  return text;
}
