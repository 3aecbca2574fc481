import type { ApiVersion } from "../../http/parseJobs.ts";

/** What answers requests of the API: a service, or what is built in. */
export interface Answerer extends AsyncDisposable {
  /** A v5 answer has its debug report. Throws a CommandError. */
  answer(version: ApiVersion, body: string): Promise<unknown>;
}
