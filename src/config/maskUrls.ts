/** Replaces credentials, queries and fragments in a list of URLs by `***`, because they may contain secrets. */
export function maskUrls(list: string): string {
  // A password may contain a comma, though the list then can't be read as meant.
  const urls = list.split(/,(?=\s*[a-z]+:\/\/)/i);
  return urls.map((url) => maskCredentials(url).replace(/[?#].*$/s, "?***")).join(",");
}

/** Replaces everything from the scheme of a URL to its last `@`. */
export function maskCredentials(url: string): string {
  return url.replace(/^(\s*[a-z]+:\/\/)?.*@/is, "$1***@");
}
