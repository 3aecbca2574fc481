import { text } from "node:stream/consumers";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { request } from "undici";
import type { Bench } from "../bench.ts";
import { startChild } from "../child.ts";
import { requests } from "../frames.ts";
import { interleave, median, time, type Measured } from "../measure.ts";
import { short } from "../../src/captures/numberText.ts";
import { prepareFolders } from "../symcacheFolders.ts";

const decoders = { identity: undefined, gzip: createGunzip, zstd: createZstdDecompress };
type Encoding = keyof typeof decoders;
const bytesPerSecond = 100e6 / 8;

/** Responses of 60,000 frames with and without compression, over loopback and over a line of 100 Mbit/s. */
export async function compression(bench: Bench): Promise<string> {
  const symFile = await bench.libxul(bench.pick(60, 8));
  const body = requests([symFile], bench.pick(60_000, 1000))();
  await using folders = await prepareFolders(bench, symFile.symbols, body);
  await using service = await folders.startTseliot();
  const { port } = new URL(service.ready[1] ?? "");
  const path = new URL("../slowLine.ts", import.meta.url).pathname;
  await using line = await startChild(process.execPath, [path, port, String(bytesPerSecond)], /(http:.*)/);
  const measure = (address: string, encoding: Encoding) => () => ask(address, encoding, body);
  const addresses = { loopback: service.ready[1] ?? "", "100 Mbit/s": line.ready[1] ?? "" };
  for (let count = 0; count < bench.pick(5, 1); count++) await ask(addresses.loopback, "identity", body);
  const lines = [];
  for (const [place, address] of Object.entries(addresses)) {
    const encodings = Object.keys(decoders) as Encoding[];
    const contenders = Object.fromEntries(
      encodings.map((encoding) => [encoding, measure(address, encoding)]),
    );
    const runs = await interleave(bench.pick(9, 1), contenders);
    for (const encoding of encodings) {
      const of = (quantity: string) => median((runs[encoding] ?? []).map((run) => run[quantity] ?? NaN));
      lines.push(
        `| ${place} | ${encoding} | ${short(of("megabytes"))} MB | ${short(of("milliseconds"))} ms |`,
      );
    }
  }
  const { max } = await service.eventLoopDelay();
  return [
    "| line | encoding | response | time |",
    "| --- | --- | --- | --- |",
    ...lines,
    "",
    `The longest delay of the event loop was ${short(max)} ms.`,
  ].join("\n");
}

async function ask(address: string, encoding: Encoding, body: string): Promise<Measured> {
  let bytes = 0;
  const milliseconds = await time(async () => {
    const response = await request(`${address}/symbolicate/v5`, {
      method: "POST",
      headers: { "accept-encoding": encoding },
      body,
    });
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
    response.body.on("data", (piece: Buffer) => (bytes += piece.length));
    const decoder = decoders[encoding]?.();
    JSON.parse(await text(decoder ? response.body.pipe(decoder) : response.body));
  });
  return { milliseconds, megabytes: bytes / 1e6 };
}
