import { readFile, writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";

/** Puts text between `<!-- generated: NAME -->` and `<!-- end -->`. */
export async function writeInto(file: URL, name: string, text: string): Promise<void> {
  const before = await readFile(file, "utf8");
  const start = `<!-- generated: ${name} -->\n`;
  const from = before.indexOf(start) + start.length;
  const to = before.indexOf("<!-- end -->", from);
  if (from < start.length || to < 0) throw new Error(`${file.pathname} has no place for ${name}`);
  await writeFile(file, `${before.slice(0, from)}\n${text}\n\n${before.slice(to)}`);
}

/** What numbers were measured on: `2026-11-24, 2 × …, 8 GB, Linux 6.1.0, Node v26.10.0`. */
export function machine(): string {
  const processors = cpus();
  const model = processors[0]?.model.trim() || "unknown processor";
  const memory = Math.round(totalmem() / 2 ** 30);
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, ${processors.length} × ${model}, ${memory} GB, Linux ${release()}, Node ${process.version}`;
}
