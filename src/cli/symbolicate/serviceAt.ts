import { CommandError } from "../commandError.ts";
import { whileBusy } from "../requests/whileBusy.ts";
import type { Answerer } from "./answerer.ts";
import { checkV5Answer } from "./v5Answer.ts";

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
  const reply = await whileBusy(() => post(address, body, signal), signal);
  if (!reply.ok) throw refusal(reply, address);
  try {
    return JSON.parse(reply.text);
  } catch (error) {
    throw new CommandError("failed", `${address} answered with no JSON`, { cause: error });
  }
}

interface Reply {
  ok: boolean;
  status: number;
  statusText: string;
  /** Seconds, where the service says when to come again. */
  retryAfter: number | undefined;
  text: string;
}

async function post(address: string, body: string, signal: AbortSignal): Promise<Reply> {
  try {
    const response = await fetch(address, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json", Debug: "true", "User-Agent": "tseliot/1.0" },
      signal,
    });
    const { ok, status, statusText, headers } = response;
    const retryAfter = headers.get("retry-after");
    return {
      ok,
      status,
      statusText,
      retryAfter: retryAfter === null ? undefined : Number(retryAfter),
      // The status says enough of a refusal that is cut.
      text: ok ? await response.text() : await response.text().catch(() => ""),
    };
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(address, error);
  }
}

/** fetch() says why in the cause of its error. */
function unreachable(address: string, error: unknown): CommandError {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const reason = cause instanceof Error ? cause.message || String(cause) : String(cause);
  return new CommandError("failed", `can't reach ${address}: ${reason}`, { cause: error });
}

function refusal({ status, statusText, text }: Reply, address: string): CommandError {
  let title: unknown;
  try {
    ({ title } = JSON.parse(text) as { title?: unknown });
  } catch {
    // A proxy's page says nothing that would fit in a line.
  }
  const reason = typeof title === "string" ? title : statusText;
  const kind = status === 400 ? "usage" : "failed";
  return new CommandError(kind, `${address} answered ${status}: ${reason}`);
}
