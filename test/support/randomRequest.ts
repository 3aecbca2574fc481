import { gzipSync } from "node:zlib";
import { jobOf } from "./harness.ts";
import type { SyntheticModule } from "./syntheticModule.ts";
import type { Random } from "./scale.ts";

interface RandomRequest {
  path: string;
  body: Uint8Array<ArrayBuffer>;
  headers: Record<string, string>;
}

/** Values that somebody may put anywhere in a request, as JSON. */
const oddities = [
  "null", "true", "-1", "0", "1e400", "-0", "0.5", "18446744073709551615", "18446744073709551616", "9007199254740993", '""', '"\\u0000"', '"\\ud800"',
  '"__proto__"', "[]", "{}", "[[]]", '{"__proto__":{}}', '{"jobs":[]}', '[["a","AB"]]', "[[[0,1]]]", "NaN", '"\uFEFF"', `"${"x".repeat(300)}"`,
]; // prettier-ignore

/** A request that is right, or was before something was done to it. */
export function randomRequest(random: Random, modules: SyntheticModule[]): RandomRequest {
  const jobs = Array.from({ length: 1 + random.below(3) }, () =>
    jobOf(Array.from({ length: 1 + random.below(3) }, () => random.pick(modules))),
  );
  let text = JSON.stringify(random.below(2) === 0 ? { jobs } : jobs[0]);
  if (random.below(3) > 0) text = changed(text, random);
  let bytes = new Uint8Array(Buffer.from(text));
  const headers: Record<string, string> = {};
  if (random.below(4) === 0) bytes = withDamage(bytes, random);
  if (random.below(4) === 0) {
    headers["content-encoding"] = random.pick([
      "gzip",
      "x-gzip",
      "deflate",
      "br",
      "zstd",
      "identity",
      "lzma",
    ]);
    if (random.below(2) === 0) bytes = new Uint8Array(gzipSync(bytes));
    if (random.below(3) === 0) bytes = withDamage(bytes, random);
  }
  if (random.below(4) === 0) headers["debug"] = random.pick(["true", "false", "0", "x".repeat(1000)]);
  if (random.below(4) === 0)
    headers["content-type"] = random.pick(["application/json", "text/plain;charset=latin1", "x", "a/b; c=d"]);
  return { path: random.pick(["/symbolicate/v4", "/symbolicate/v5"]), body: bytes, headers };
}

/** Puts something odd in place of a value, cuts, doubles or moves a piece. */
function changed(text: string, random: Random): string {
  const values = [...text.matchAll(/"[^"]*"|-?[0-9]+|\[\]|\{\}/g)];
  const value = random.pick(values);
  const [from, to] = [random.below(text.length), random.below(text.length)].toSorted((a, b) => a - b);
  switch (random.below(4)) {
    case 0:
      return text.slice(0, from);
    case 1:
      return text.slice(0, to) + text.slice(from);
    default:
      return text.slice(0, value.index) + random.pick(oddities) + text.slice(value.index + value[0].length);
  }
}

function withDamage(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const damaged = bytes.slice(0, random.below(3) === 0 ? random.below(bytes.length + 1) : bytes.length);
  for (let time = random.below(4); time > 0 && damaged.length > 0; time--)
    damaged[random.below(damaged.length)] = random.below(256);
  return damaged;
}
