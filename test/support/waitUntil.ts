import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

const timeoutMs = 60_000;
const intervalMs = 10;

/** Polls until the condition holds. Fails after a minute. */
export async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, `false for ${timeoutMs} ms: ${condition.toString()}`);
    await setTimeout(intervalMs);
  }
}
