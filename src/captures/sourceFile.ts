/** A page on the web that shows a source file. */
interface SourceLink {
  /** `Searchfox`, `hg`, `GitHub` */
  site: string;
  /** Leads to the line, if that is known. */
  url: string;
}

interface SourceFile {
  /** Without repository and revision. */
  path: string;
  /** Most useful first; none for a path on the build machine. */
  links: SourceLink[];
}

/**
 * Splits a path from a sym file. These forms have links:
 *
 *     hg:hg.mozilla.org/mozilla-central:dom/base/Element.cpp:997f00815e6bc28806b75448c8829f0259d2cb28
 *     git:github.com/rust-lang/rust:library/std/src/panicking.rs:53cb7b09b00cbea8754ffb78e7e3cb521cb8af4b
 *     cargo:github.com-1ecc6299db9ec823:tokio-1.6.1:src/runtime/task/mod.rs
 *     cargo:registry/nom-7.1.3/src/bits/mod.rs
 *     /rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/ptr/mod.rs
 *     /rust/deps/gimli-0.32.3/src/read/unit.rs
 *     s3:gecko-generated-sources:a5d3747707d6877b/ipc/ipdl/PBackgroundChild.cpp:
 */
export function sourceFile(path: string, line?: number): SourceFile {
  // URLs can't express unpaired surrogates.
  const file = path.toWellFormed();
  const [, system, repository = "", inRepository = "", revision = ""] =
    /^(hg|git):([^:]*):(.*):([^:]*)$/.exec(file) ?? [];
  if (system === "hg")
    return { path: inRepository, links: hgLinks(repository, revision, inRepository, line) };
  if (system === "git")
    return { path: inRepository, links: gitLinks(repository, revision, inRepository, line) };

  const inCrates = crateFile(file);
  if (inCrates) {
    const { crate, version, inCrate } = inCrates;
    const url = `https://docs.rs/crate/${crate}/${encodeURI(version)}/source/${inUrl(inCrate)}${anchor("", line)}`;
    return { path: `${crate}-${version}/${inCrate}`, links: [{ site: "docs.rs", url }] };
  }

  const [, compiler, inRust = ""] = /^\/rustc\/([0-9a-f]{40})\/(.*)$/.exec(file) ?? [];
  if (compiler !== undefined)
    return { path: inRust, links: gitLinks("github.com/rust-lang/rust", compiler, inRust, line) };

  const [, generated] = /^s3:[^:]*:[0-9a-f]*\/(.*):$/.exec(file) ?? [];
  return { path: generated ?? file, links: [] };
}

/** Finds the last `name-1.2.3` in a path of Cargo, or the first in `/rust/deps/`. A single expression would take quadratic time. */
function crateFile(file: string) {
  const prefix = ["cargo:", "/rust/deps/"].find((start) => file.startsWith(start));
  if (prefix === undefined) return undefined;
  const segments = file.slice(prefix.length).split(/[:/]/);
  const [first, last] =
    prefix === "cargo:" ? [1, segments.length - 2] : [0, Math.min(0, segments.length - 2)];
  for (let index = last; index >= first; index--) {
    const [, crate, version = ""] = /^([\w-]+?)-(\d+\.\d+\.\d+.*)$/.exec(segments[index] ?? "") ?? [];
    if (crate === undefined) continue;
    const rest = segments.slice(index + 1);
    return { crate, version, inCrate: file.slice(file.length - rest.join("/").length) };
  }
  return undefined;
}

function hgLinks(repository: string, revision: string, path: string, line?: number): SourceLink[] {
  const [, name] = /^hg\.mozilla\.org\/([\w./-]+)$/.exec(repository) ?? [];
  if (name === undefined) return [];
  const hg = `https://hg.mozilla.org/${name}/file/${inUrl(revision)}/${inUrl(path)}${anchor("l", line)}`;
  const [, tree] = /^(?:releases\/)?(mozilla-(?:central|beta|release|esr\d+))$/.exec(name) ?? [];
  if (tree === undefined) return [{ site: "hg", url: hg }];
  const searchfox = `https://searchfox.org/${tree}/hgrev/${inUrl(revision)}/${inUrl(path)}${anchor("", line)}`;
  return [
    { site: "Searchfox", url: searchfox },
    { site: "hg", url: hg },
  ];
}

function gitLinks(repository: string, revision: string, path: string, line?: number): SourceLink[] {
  const place = `${inUrl(revision)}/${inUrl(path)}`;
  const [, chromium] = /^([\w-]+\.googlesource\.com\/[\w./-]+)$/.exec(repository) ?? [];
  if (chromium !== undefined)
    return [{ site: "Gitiles", url: `https://${chromium}/+/${place}${anchor("", line)}` }];
  const [, name] = /^github\.com\/([\w.-]+\/[\w.-]+)$/.exec(repository) ?? [];
  if (name === undefined) return [];
  const github = { site: "GitHub", url: `https://github.com/${name}/blob/${place}${anchor("L", line)}` };
  if (name !== "mozilla-firefox/firefox") return [github];
  return [
    { site: "Searchfox", url: `https://searchfox.org/firefox-main/rev/${place}${anchor("", line)}` },
    github,
  ];
}

function inUrl(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function anchor(prefix: string, line: number | undefined): string {
  return line === undefined ? "" : `#${prefix}${line}`;
}
