import { setTimeout } from "node:timers/promises";
import { CommandError } from "../commandError.ts";
import type { Answerer } from "./answerer.ts";
import { checkV5Answer } from "./v5Answer.ts";

/** A service that has too much to do is asked again so often, and after so many milliseconds at most. */
const attempts = 5;
const longestWait = 60_000;

/** A service at an address such as `https://symbolication.services.mozilla.com`. Throws a CommandError. */
export function serviceAt(url: string, signal: AbortSignal): Answerer {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new CommandError("usage", `--url is no http:// or https:// address: ${url}`);
  const base = url.replace(/\/+(symbolicate\/v[45]\/*)?$/, "");
  return {
    v5: async (body) => checkV5Answer(await ask(`${base}/symbolicate/v5`, body, signal)),
    v4: (body) => ask(`${base}/symbolicate/v4`, body, signal),
    async [Symbol.asyncDispose]() {},
  };
}

async function ask(address: string, body: string, signal: AbortSignal): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const response = await post(address, body, signal);
    if (response.ok) return await json(response, address);
    const wait = 1000 * Number(response.headers.get("retry-after") ?? NaN);
    if (attempt >= attempts || response.status !== 503 || !(wait <= longestWait))
      throw await refusal(response, address);
    await response.body?.cancel();
    await setTimeout(wait, undefined, { signal });
  }
}

async function post(address: string, body: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(address, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json", Debug: "true", "User-Agent": "tseliot/1.0" },
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(address, error);
  }
}

async function json(response: Response, address: string): Promise<unknown> {
  const text = await response.text().catch((error: unknown) => {
    throw unreachable(address, error);
  });
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError("failed", `${address} answered with no JSON`, { cause: error });
  }
}

/** fetch() says why in the cause of its error. */
function unreachable(address: string, error: unknown): CommandError {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const reason = cause instanceof Error ? cause.message || String(cause) : String(cause);
  return new CommandError("failed", `can't reach ${address}: ${reason}`, { cause: error });
}

async function refusal(response: Response, address: string): Promise<CommandError> {
  const text = await response.text().catch(() => "");
  let title: unknown;
  try {
    ({ title } = JSON.parse(text) as { title?: unknown });
  } catch {
    // A proxy's page says nothing that would fit in a line.
  }
  const reason = typeof title === "string" ? title : response.statusText;
  const kind = response.status === 400 ? "usage" : "failed";
  return new CommandError(kind, `${address} answered ${response.status}: ${reason}`);
}
