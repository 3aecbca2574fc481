/**
 * Prints an SBOM in CycloneDX: the image's npm packages, and the crates in the WebAssembly binary. Fails if one is missing or
 * has no hash.
 *
 *     npm run --silent sbom > sbom.json        with cargo in the PATH
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { z } from "zod";

const root = new URL("../", import.meta.url);
const crate = new URL("crates/symcache/", root);

const Component = z.looseObject({
  name: z.string(),
  purl: z.string(),
  hashes: z.array(z.object({ alg: z.string(), content: z.string() })).min(1),
});
const Sbom = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ name: z.string() }) }),
  components: z.array(Component),
});

/** The output of `cargo metadata`, as far as it is used. */
const Metadata = z.object({
  packages: z.array(
    z.object({ id: z.string(), name: z.string(), version: z.string(), license: z.string().nullable() }),
  ),
  resolve: z.object({ root: z.string(), nodes: z.array(z.object({ id: z.string(), deps: z.array(
    z.object({ pkg: z.string(), dep_kinds: z.array(z.object({ kind: z.string().nullable() })) }),
  ) })) }),
}); // prettier-ignore

function run(command: string, parameters: string[], cwd: URL): unknown {
  return JSON.parse(execFileSync(command, parameters, { cwd, maxBuffer: 1e9, encoding: "utf8" }));
}

/** The crates in the binary, without development and build dependencies. */
function crates(): object[] {
  const platform = "--filter-platform=wasm32-unknown-unknown";
  const { packages, resolve } = Metadata.parse(
    run("cargo", ["metadata", "--format-version=1", "--locked", platform], crate),
  );
  const reached = new Set([resolve.root]);
  for (const reachedId of reached) {
    const { deps } = resolve.nodes.find(({ id }) => id === reachedId) ?? { deps: [] };
    for (const { pkg, dep_kinds } of deps) if (dep_kinds.some(({ kind }) => kind === null)) reached.add(pkg);
  }
  reached.delete(resolve.root);
  const lock = readFileSync(new URL("Cargo.lock", crate), "utf8");
  return packages
    .filter(({ id }) => reached.has(id))
    .map(({ name, version, license }) => {
      const entry = RegExp.escape(`name = "${name}"\nversion = "${version}"`);
      const [, checksum] = new RegExp(`${entry}\nsource = ".*"\nchecksum = "(.*)"`).exec(lock) ?? [];
      return {
        "bom-ref": `crate:${name}@${version}`,
        type: "library",
        name,
        version,
        purl: `pkg:cargo/${name}@${version}`,
        hashes: checksum === undefined ? [] : [{ alg: "SHA-256", content: checksum }],
        ...(license !== null && { licenses: [{ expression: license }] }),
      };
    });
}

const ours = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
  name: string;
  dependencies: Record<string, string>;
};
const ofNpm = ["sbom", "--sbom-format=cyclonedx", "--omit=dev", "--package-lock-only"];
const sbom = Sbom.parse(run("npm", ofNpm, root));
// npm uses the name of the folder.
sbom.metadata.component.name = ours.name;
sbom.components.push(...z.array(Component).parse(crates()));

const names = sbom.components.map(({ name }) => name);
const missing = [...Object.keys(ours.dependencies), "symbolic-debuginfo"].filter(
  (name) => !names.includes(name),
);
if (missing.length > 0) throw new Error(`the SBOM lacks ${missing.join(", ")}`);
process.stdout.write(`${JSON.stringify(sbom, undefined, 2)}\n`);
