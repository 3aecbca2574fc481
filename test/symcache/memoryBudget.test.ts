import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryBudget } from "../../src/symcache/lookup/memoryBudget.ts";

const large = 100e6;

/** Notes a lookup for each letter, in symcaches of 100 MB that are held as the budget says, and gives what changed. */
function use(budget: MemoryBudget, letters: string, held = new Set<string>()): string {
  let changes = "";
  for (const path of letters) {
    const { release, hold } = budget.use(path, { isHeld: held.has(path), bytes: large });
    for (const old of release) {
      changes += `-${old}`;
      held.delete(old);
    }
    if (!hold) continue;
    changes += `+${path}`;
    held.add(path);
    budget.begun(path, true);
  }
  return changes;
}

test("holds what is asked for a third time", () => {
  const budget = new MemoryBudget(10 * large);
  assert.equal(use(budget, "aab"), "");
  assert.equal(use(budget, "abc"), "+a");
  assert.equal(use(budget, "b"), "+b");
});

test("gives up the least recently used for what was asked for three times since", () => {
  const budget = new MemoryBudget(2 * large);
  const held = new Set<string>();
  assert.equal(use(budget, "aaabbbab", held), "+a+b");
  assert.equal(use(budget, "cc", held), "");
  assert.equal(use(budget, "c", held), "-a+c");
});

test("changes nothing while more is asked for in turn than there is room for", () => {
  const budget = new MemoryBudget(2 * large);
  const held = new Set<string>();
  assert.equal(use(budget, "abcabcabc", held), "+a+b");
  assert.equal(use(budget, "abc".repeat(20), held), "");
});

test("holds nothing that is larger than the budget", () => {
  const budget = new MemoryBudget(large);
  for (let time = 0; time < 5; time++)
    assert.deepEqual(budget.use("a", { isHeld: false, bytes: large + 1 }), { release: [], hold: false });
});

test("resumes holding what fits beside what is held, and gives that up first", () => {
  const budget = new MemoryBudget(2.5 * large);
  const resumed = ["new", "older", "oldest"].map((path) => budget.resume(path, large));
  assert.deepEqual(resumed, [true, true, false]);
  assert.equal(budget.resume("new", large / 4), false);
  for (const path of ["new", "older"]) budget.begun(path, true);
  assert.deepEqual(budget.use("older", { isHeld: true, bytes: large }), { release: [], hold: false });
  assert.equal(use(budget, "aaa"), "-new+a");
});

test("gives up of what it resumed first what was used longest ago", () => {
  const budget = new MemoryBudget(3 * large);
  for (const path of ["new", "older", "oldest"]) {
    assert.equal(budget.resume(path, large), true);
    budget.begun(path, true);
  }
  assert.equal(use(budget, "aaabbb"), "-oldest+a-older+b");
});

test("gives up others when what is held grows, and itself where that is too little", () => {
  const budget = new MemoryBudget(2 * large);
  const held = new Set<string>();
  use(budget, "aaabbb", held);
  assert.deepEqual(budget.use("b", { isHeld: true, bytes: 1.5 * large }), { release: ["a"], hold: false });
  assert.deepEqual(budget.use("b", { isHeld: true, bytes: 3 * large }), { release: ["b"], hold: false });
});

test("releases what a lookup doesn't find held, lest a thread that isn't asked any more keeps it", () => {
  const budget = new MemoryBudget(2 * large);
  assert.equal(use(budget, "aaa"), "+a");
  assert.deepEqual(budget.use("a", { isHeld: false, bytes: large }), { release: ["a"], hold: false });
  assert.deepEqual(budget.use("a", { isHeld: false, bytes: large }), { release: [], hold: false });
});

test("counts anew when what was held is lost, and knows lookups that were under way before it was", () => {
  const budget = new MemoryBudget(2 * large);
  use(budget, "aa");
  const lookup = () => budget.use("a", { isHeld: false, bytes: large }).hold;
  assert.equal(lookup(), true);
  assert.equal(lookup(), false);
  budget.begun("a", true);
  assert.deepEqual([lookup(), lookup(), lookup()], [false, false, true]);
  budget.begun("a", false);
  assert.deepEqual([lookup(), lookup(), lookup()], [false, false, true]);
});
