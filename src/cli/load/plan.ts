/** How requests come. Times are in seconds. */
export interface Plan {
  /** So many come each second, whatever becomes of those before: the open model. */
  rate?: number | undefined;
  /** So many are under way at a time, the next comes when one is answered: the closed model. */
  concurrency: number;
  /** What comes in this time isn't counted. */
  warmUp: number;
  duration: number;
  /** Ends it earlier, after so many that count. */
  count: number;
  timeout: number;
}
