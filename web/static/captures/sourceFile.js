/**
 * Where a source file can be read on the web.
 * @typedef {object} SourceLink
 * @property {string} site as people call it: `Searchfox`, `hg`, `GitHub`
 * @property {string} url at the line, where that is known
 *
 * @typedef {object} SourceFile
 * @property {string} path without repository and revision
 * @property {SourceLink[]} links the most useful first; none for a path of the machine that built it
 */

/**
 * A path as symbols have it, of which these forms are known:
 *
 *     hg:hg.mozilla.org/mozilla-central:dom/base/Element.cpp:997f00815e6bc28806b75448c8829f0259d2cb28
 *     git:github.com/rust-lang/rust:library/std/src/panicking.rs:53cb7b09b00cbea8754ffb78e7e3cb521cb8af4b
 *     cargo:github.com-1ecc6299db9ec823:tokio-1.6.1:src/runtime/task/mod.rs
 *     cargo:registry/nom-7.1.3/src/bits/mod.rs
 *     /rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/ptr/mod.rs
 *     /rust/deps/gimli-0.32.3/src/read/unit.rs
 *     s3:gecko-generated-sources:a5d3747707d6877b/ipc/ipdl/PBackgroundChild.cpp:
 * @param {string} file
 * @param {number} [line]
 * @returns {SourceFile}
 */
export function sourceFile(file, line) {
  const [, system, repository = "", inRepository = "", revision = ""] =
    /^(hg|git):([^:]*):(.*):([^:]*)$/.exec(file) ?? [];
  if (system === "hg")
    return { path: inRepository, links: hgLinks(repository, revision, inRepository, line) };
  if (system === "git")
    return { path: inRepository, links: gitLinks(repository, revision, inRepository, line) };

  const [, crate, version = "", inCrate = ""] =
    /^(?:cargo:.*[:/]|\/rust\/deps\/)([\w-]+?)-(\d+\.\d+\.\d+[^:/]*)[:/](.*)$/.exec(file) ?? [];
  if (crate !== undefined) {
    const url = `https://docs.rs/crate/${crate}/${encodeURI(version)}/source/${inUrl(inCrate)}${anchor("", line)}`;
    return { path: `${crate}-${version}/${inCrate}`, links: [{ site: "docs.rs", url }] };
  }

  const [, compiler, inRust = ""] = /^\/rustc\/([0-9a-f]{40})\/(.*)$/.exec(file) ?? [];
  if (compiler !== undefined)
    return { path: inRust, links: gitLinks("github.com/rust-lang/rust", compiler, inRust, line) };

  const [, generated] = /^s3:[^:]*:[0-9a-f]*\/(.*):$/.exec(file) ?? [];
  return { path: generated ?? file, links: [] };
}

/**
 * @param {string} repository
 * @param {string} revision
 * @param {string} path
 * @param {number} [line]
 * @returns {SourceLink[]}
 */
function hgLinks(repository, revision, path, line) {
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

/**
 * @param {string} repository
 * @param {string} revision
 * @param {string} path
 * @param {number} [line]
 * @returns {SourceLink[]}
 */
function gitLinks(repository, revision, path, line) {
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

/**
 * @param {string} path
 * @returns {string}
 */
function inUrl(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/**
 * @param {string} prefix
 * @param {number} [line]
 * @returns {string}
 */
function anchor(prefix, line) {
  return line === undefined ? "" : `#${prefix}${line}`;
}
