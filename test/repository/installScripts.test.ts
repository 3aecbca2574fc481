import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const read = async (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

test("allows install scripts only for the packages that package.json lists", async () => {
  const { allowScripts } = JSON.parse(await read("package.json")) as {
    allowScripts: Record<string, boolean>;
  };
  const { packages } = JSON.parse(await read("package-lock.json")) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const withScripts = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript);
  const names = withScripts.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + 13));
  assert.deepEqual(names.toSorted(), Object.keys(allowScripts).toSorted());
  // Without it npm warns of others, and lets them run.
  assert.match(await read(".npmrc"), /^strict-allow-scripts=true$/m);
});
