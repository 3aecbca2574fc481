/**
 * @import { Module } from "./capture.js"
 *
 * What a profile of any version calls a library.
 * @typedef {object} Library
 * @property {string} [name] a path in the first versions
 * @property {string} [debugName]
 * @property {string} [pdbName] before it was called debugName
 * @property {string} [breakpadId]
 * @property {string} [pdbSignature] `{10000000-0000-0000-0000-0000000000a2}`, with `pdbAge` before there was a breakpadId
 * @property {number} [pdbAge]
 * @property {number | string} [start] absolute
 * @property {number | string} [end]
 * @property {number | string} [offset] of `start` in the library
 */

/**
 * @param {Library} library
 * @returns {[...Module, name: string | undefined]}
 */
export function libraryModule({ name = "", debugName, pdbName, breakpadId, pdbSignature = "", pdbAge }) {
  const filename = name.replace(/^.*[\\/]/, "");
  const debugId =
    breakpadId ?? pdbSignature.replaceAll(/[{}-]/g, "").toUpperCase() + (pdbAge ?? 0).toString(16);
  return [debugName ?? pdbName ?? filename, debugId, filename || undefined];
}
