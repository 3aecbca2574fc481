/** Replaces credentials, queries and fragments of URLs by `***`, because they may contain secrets. */
export function maskUrls(text: string): string {
  return text.replaceAll(/\/\/[^,\s]*@/g, "//***@").replaceAll(/[?#][^,\s]*/g, "?***");
}
