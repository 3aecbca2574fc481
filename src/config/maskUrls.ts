/** URLs in a text, with credentials, queries and fragments replaced by `***`: they may hold a secret. */
export function maskUrls(text: string): string {
  return text.replaceAll(/\/\/[^,\s]*@/g, "//***@").replaceAll(/[?#][^,\s]*/g, "?***");
}
