import type { V5Response } from "../src/captures/response.ts";

/** The service refused a request or could not be reached. The message says why. */
export class ServiceError extends Error {
  override name = "ServiceError";
}

/** Posts to /symbolicate/v5 and asks for the Debug report. Throws a ServiceError or an AbortError. */
export function postV5(body: string, signal: AbortSignal): Promise<V5Response> {
  return request("/symbolicate/v5", { method: "POST", body, headers: { Debug: "true" }, signal });
}

/** Throws a ServiceError. */
export function getJson<Value>(path: string): Promise<Value> {
  return request(path, {});
}

async function request<Value>(path: string, options: RequestInit): Promise<Value> {
  try {
    const response = await fetch(path, options);
    const value = (await response.json()) as Value & { title?: string };
    if (response.ok) return value;
    throw new ServiceError(`The service refused this: ${value.title}.`);
  } catch (error) {
    if (error instanceof TypeError)
      throw new ServiceError("The service can’t be reached. Try again later.", { cause: error });
    if (error instanceof SyntaxError)
      throw new ServiceError("The response did not come from the service. Is there a proxy in between?", {
        cause: error,
      });
    throw error;
  }
}
