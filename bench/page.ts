import { readFile, writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";

/** Replaces the text between `<!-- generated: NAME -->` and `<!-- end -->` in a file. */
export async function writeInto(file: URL, name: string, text: string): Promise<void> {
  await writeFile(file, withGenerated(await readFile(file, "utf8"), name, text));
}

/** Returns the page with new text between `<!-- generated: NAME -->` and `<!-- end -->`. */
export function withGenerated(page: string, name: string, text: string): string {
  const start = `<!-- generated: ${name} -->\n`;
  const from = page.indexOf(start) + start.length;
  const to = page.indexOf("<!-- end -->", from);
  if (from < start.length || to < 0) throw new Error(`the page has no generated section "${name}"`);
  return `${page.slice(0, from)}\n${text}\n\n${page.slice(to)}`;
}

/** Date, machine and runtime of a measurement: `2026-11-24, 2 × …, 8 GB, Linux 6.1.0, Node v26.10.0`. */
export function machine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() || "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, ${processors.length} × ${model}, ${memory} GB, Linux ${release()}, Node ${process.version}`;
}
