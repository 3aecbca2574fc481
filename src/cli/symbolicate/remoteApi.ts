import { STATUS_CODES } from "node:http";
import { z } from "zod";
import type { V5Response } from "../../captures/response.ts";
import type { ApiVersion } from "../../codec/parseRequest.ts";
import { CommandError } from "../commandError.ts";
import { NoReply, ServiceClient, type Reply } from "../serviceClient.ts";
import type { Api } from "./api.ts";

const connections = 16;

const location = {
  function: z.string().optional(),
  file: z.string().optional(),
  line: z.number().optional(),
};

/** The keys that are read; a service may send more. */
const Response = z.looseObject({
  results: z.array(
    z.looseObject({
      found_modules: z.record(z.string(), z.boolean().nullable()),
      stacks: z.array(
        z.array(
          z.looseObject({
            frame: z.number(),
            module: z.string(),
            module_offset: z.string(),
            function_offset: z.string().optional(),
            inlines: z.array(z.looseObject(location)).optional(),
            ...location,
          }),
        ),
      ),
    }),
  ),
});

/** A service at an address such as `https://symbolication.services.mozilla.com`. Throws a CommandError. */
export function connectApi(url: string, signal: AbortSignal): Api {
  const client = new ServiceClient(url, connections, signal);
  return {
    v5: async (body) => checkResponse(await post(client, "v5", body, signal), client.url),
    v4: (body) => post(client, "v4", body, signal),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function post(
  client: ServiceClient,
  version: ApiVersion,
  body: string,
  signal: AbortSignal,
): Promise<unknown> {
  try {
    const reply = await client.postWithRetries({ version, body }, { headers: { debug: "true" } });
    if (reply.status !== 200) throw refusal(reply, client.url);
    return JSON.parse(reply.body.toString());
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SyntaxError)
      throw new CommandError("failed", `${client.url}: the response is not JSON`, { cause: error });
    if (!(error instanceof NoReply)) throw error;
    const prefix = error.kind === "unreachable" ? "can't reach " : "";
    throw new CommandError("failed", `${prefix}${error.message}`, { cause: error });
  }
}

function refusal({ status, body }: Reply, url: string): CommandError {
  let title: unknown;
  try {
    ({ title } = JSON.parse(body.toString()) as { title?: unknown });
  } catch {
    // Not the service's own error: a proxy's page doesn't fit in a line.
  }
  const reason = typeof title === "string" ? title : STATUS_CODES[status];
  const kind = status === 400 ? "usage" : "failed";
  return new CommandError(kind, `${url}: status ${status}: ${reason}`);
}

function checkResponse(response: unknown, url: string): V5Response {
  const { error } = Response.safeParse(response);
  if (!error) return response as V5Response;
  const [issue] = error.issues;
  const what = `${issue?.path.join(".")}: ${issue?.message}`;
  throw new CommandError("failed", `${url}: the response is not one of /symbolicate/v5: ${what}`);
}
