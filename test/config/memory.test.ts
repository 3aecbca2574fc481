import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";
import { readMemoryLimit } from "../../src/config/memoryLimit.ts";
import { plannedMemory } from "../../src/config/memoryPlan.ts";
import { readConfig } from "../../src/config/readConfig.ts";
import { startTestService, temporaryFolder } from "../support/service.ts";

const machine = { bytes: 24e9, source: "the machine's memory" };
const v1NoLimit = "9223372036854771712";

/** The limit in a file system with these files, and the one that sets it. */
async function limitWith(files: Record<string, string>) {
  await using folder = await temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${text}\n`);
  }
  const { bytes, source } = readMemoryLimit(folder.path, machine.bytes);
  return { bytes, source: source.replace(folder.path, "") };
}

suite("the memory limit", () => {
  for (const [situation, files, limit] of [
    ["without cgroups", {}, machine],
    [
      "of cgroup v2 in a container, which sees its own cgroup as the root",
      { "proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "512000000" },
      { bytes: 512e6, source: "/sys/fs/cgroup/memory.max" },
    ],
    [
      "of cgroup v2 without a limit",
      { "proc/self/cgroup": "0::/a", "sys/fs/cgroup/a/memory.max": "max" },
      machine,
    ],
    [
      "of an outer cgroup, if it is lower",
      {
        "proc/self/cgroup": "0::/pods/one/container",
        "sys/fs/cgroup/pods/one/container/memory.max": "3000000000",
        "sys/fs/cgroup/pods/one/memory.max": "max",
        "sys/fs/cgroup/pods/memory.max": "2000000000",
      },
      { bytes: 2e9, source: "/sys/fs/cgroup/pods/memory.max" },
    ],
    [
      "from which the kernel slows the process down",
      {
        "proc/self/cgroup": "0::/a",
        "sys/fs/cgroup/a/memory.max": "3000000000",
        "sys/fs/cgroup/a/memory.high": "2500000000",
      },
      { bytes: 2.5e9, source: "/sys/fs/cgroup/a/memory.high" },
    ],
    [
      "of cgroup v1",
      {
        "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/a\n1:name=systemd:/a",
        "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "536870912",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": v1NoLimit,
      },
      { bytes: 536_870_912, source: "/sys/fs/cgroup/memory/a/memory.limit_in_bytes" },
    ],
    [
      "of cgroup v1 in a container that knows only the host's path of its cgroup",
      {
        "proc/self/cgroup": "4:memory:/docker/0123456789ab",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912",
      },
      { bytes: 536_870_912, source: "/sys/fs/cgroup/memory/memory.limit_in_bytes" },
    ],
    [
      "of cgroup v1 without a limit",
      { "proc/self/cgroup": "4:memory:/", "sys/fs/cgroup/memory/memory.limit_in_bytes": v1NoLimit },
      machine,
    ],
    [
      "of cgroup v1 for memory beside v2",
      {
        "proc/self/cgroup": "4:memory:/a\n0::/b",
        "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "700000000",
        "sys/fs/cgroup/unified/b/cgroup.procs": "1",
      },
      { bytes: 7e8, source: "/sys/fs/cgroup/memory/a/memory.limit_in_bytes" },
    ],
    [
      "of a machine that has less than the cgroup may use",
      { "proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "64000000000" },
      machine,
    ],
    [
      "with files that can't be read or understood",
      {
        "proc/self/cgroup": "0::/a/b\nnonsense",
        "sys/fs/cgroup/a/memory.max/is/a/folder": "",
        "sys/fs/cgroup/memory.max": "half",
      },
      machine,
    ],
    [
      "of a path that leaves the hierarchy",
      { "proc/self/cgroup": "0::/../../a", "sys/fs/cgroup/a/memory.max": "1000000000" },
      { bytes: 1e9, source: "/sys/fs/cgroup/a/memory.max" },
    ],
  ] as const)
    test(`is found: ${situation}`, async () => {
      assert.deepEqual(await limitWith(files), limit);
    });
});

/** In MB. */
function planFor(limitMegabytes: number, env: Record<string, string> = {}) {
  const config = readConfig(env, { bytes: limitMegabytes * 1e6, source: "a test" });
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  return {
    bodies: megabytes(config.server.maxBodiesBytes),
    lookups: megabytes(config.lookup.memoryBytes),
    converters: config.conversion.threads,
    perConverter: megabytes(config.conversion.maxMemoryBytes),
    inAll: megabytes(plannedMemory(config)),
  };
}

suite("the memory plan", () => {
  for (const [limit, plan] of [
    [100_000, { bodies: 1000, lookups: 1000, converters: 3, perConverter: 3000, inAll: 16_760 }],
    [8000, { bodies: 1000, lookups: 1000, converters: 3, perConverter: 1053, inAll: 8000 }],
    [4000, { bodies: 623, lookups: 623, converters: 2, perConverter: 623, inAll: 4000 }],
    [2000, { bodies: 290, lookups: 290, converters: 1, perConverter: 580, inAll: 2000 }],
    [512, { bodies: 60, lookups: 42, converters: 1, perConverter: 66, inAll: 512 }],
  ] as const)
    test(`of defaults fits into ${limit} MB`, () => {
      assert.deepEqual(planFor(limit), plan);
    });

  test("keeps what the operator sets, and fits the rest around it", () => {
    const { bodies, lookups, ...conversions } = planFor(4000, { ELIOT_LOOKUP_MEMORY: "1500mb" });
    assert.deepEqual({ lookups, bodies }, { lookups: 1500, bodies: 331 });
    assert.deepEqual(conversions, { converters: 1, perConverter: 662, inAll: 4000 });

    assert.equal(planFor(4000, { ELIOT_CONVERTERS: "3" }).perConverter, 416);
    assert.equal(planFor(4000, { ELIOT_CONVERTER_MEMORY: "400mb" }).converters, 3);
    const fixed = planFor(4000, { ELIOT_CONVERTERS: "4", ELIOT_CONVERTER_MEMORY: "100mb" });
    assert.deepEqual(fixed, { bodies: 1000, lookups: 1000, converters: 4, perConverter: 100, inAll: 3860 });
  });

  test("has room for the shared cache, if there is one", () => {
    assert.equal(planFor(4000, { ELIOT_SHARED_CACHE_URL: "s3://bucket" }).inAll, 4000);
    assert.equal(planFor(4000, { ELIOT_SHARED_CACHE_URL: "s3://bucket" }).bodies, 565);
  });

  test("never exceeds the limit, from 450 MB on", () => {
    for (let limit = 450; limit < 20_000; limit += 97) {
      const { inAll, perConverter } = planFor(limit);
      assert.ok(inAll <= limit && perConverter >= 32, `${limit} MB`);
    }
  });

  test("is logged at the start, as a warning if it does not fit", async () => {
    for (const [megabytes, env, severity, planned] of [
      [2000, {}, 6, 2000],
      [2000, { ELIOT_LOOKUP_MEMORY: "1500mb" }, 4, 260 + 1.5 * (60 + 1500 + 32)],
    ] as const) {
      const memoryLimit = { bytes: megabytes * 1e6, source: "a test" };
      await using service = await startTestService(env, { memoryLimit });
      const lines = service.log.filter(({ Fields }) => "plannedBytes" in Fields);
      assert.deepEqual(
        lines.map(({ Severity }) => Severity),
        [severity],
      );
      const { limitedBy, plannedBytes } = lines[0]!.Fields;
      assert.equal(limitedBy, "a test");
      assert.equal(Math.round(Number(plannedBytes) / 1e6), planned);
    }
  });
});
