import type { Answer } from "../../../web/static/captures/answer.js";

/** What answers requests of the API: a service, or what is built in. Both throw a CommandError. */
export interface Answerer extends AsyncDisposable {
  /** With a debug report, if it has one. */
  v5(body: string): Promise<Answer>;
  v4(body: string): Promise<unknown>;
}
