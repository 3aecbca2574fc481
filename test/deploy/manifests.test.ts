/** That what deploy/ and docker-compose.yml say agrees with the service. Their schemas are checked by scripts/check-deploy.sh. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { suite, test } from "node:test";
import { parseEnv } from "node:util";
import { parse, parseAllDocuments } from "yaml";
import { allSettings, readConfig } from "../../src/config/readConfig.ts";
import { plannedMemory } from "../../src/config/memoryPlan.ts";
import { size } from "../../src/config/formats.ts";
import { startTestService } from "../support/service.ts";

const root = new URL("../../", import.meta.url);
const base = new URL("deploy/kubernetes/base/", root);

interface Probe {
  httpGet: { port: string; path: string };
}

interface Container {
  name: string;
  ports: { name: string; containerPort: number }[];
  envFrom: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  startupProbe: Probe;
  readinessProbe: Probe;
  livenessProbe: Probe;
  resources: { limits: Record<string, string>; requests: Record<string, string> };
  volumeMounts: { name: string; mountPath: string }[];
}

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  data: Record<string, string>;
  spec: { template: { spec: PodSpec } };
}

interface PodSpec {
  terminationGracePeriodSeconds: number;
  securityContext: { runAsUser: number; runAsGroup: number };
  containers: [Container];
  initContainers: { ports: { containerPort: number }[] }[];
  volumes: { name: string; emptyDir?: { sizeLimit: string }; configMap?: { name: string } }[];
}

async function read(file: string, folder = root): Promise<string> {
  return await readFile(new URL(file, folder), "utf8");
}

const settings = parseEnv(await read("settings.env", base)) as Record<string, string>;
const config = readConfig(settings);
const { spec: pod } = (parse(await read("deployment.yaml", base)) as Manifest).spec.template;
const [container] = pod.containers;

/** `26Gi` */
function bytes(quantity: string | undefined): number {
  return size("1b").parse(`${quantity}B`);
}

/** Settings of the service that it doesn't know. */
function unknown(names: string[]): string[] {
  return names.filter((name) => !allSettings.some(({ variable }) => variable === name));
}

/** Whether conversions of sym files of that size fit into the memory limit, beside a shared cache. */
function checkMemory(
  env: Record<string, string>,
  limit: string | undefined,
  expected: { conversions: number; symFileBytes: number },
) {
  const memoryLimit = { bytes: bytes(limit), source: "the manifest" };
  const fitted = readConfig({ ...env, ELIOT_SHARED_CACHE_URL: "s3://bucket" }, memoryLimit);
  assert.ok(plannedMemory(fitted) <= memoryLimit.bytes);
  assert.equal(fitted.conversion.threads, expected.conversions);
  assert.ok(fitted.conversion.maxMemoryBytes > 40e6 + 0.8 * expected.symFileBytes);
}

interface ComposeService {
  environment: Record<string, string>;
  stop_grace_period: string;
  mem_limit: string;
}

async function composeInstances(): Promise<ComposeService[]> {
  const { services } = parse(await read("docker-compose.yml"), { merge: true }) as {
    services: Record<string, ComposeService>;
  };
  const instances = Object.entries(services).filter(([name]) => name.startsWith("tseliot-"));
  assert.equal(instances.length, 2);
  return instances.map(([, service]) => service);
}

test("uses only existing settings in docker-compose.yml", async () => {
  for (const { environment } of await composeInstances())
    assert.deepEqual(unknown(Object.keys(environment)), []);
});

test("gives an instance in docker-compose.yml enough time to stop", async () => {
  const { drainDelayMs, drainTimeoutMs } = readConfig({}).server;
  for (const { stop_grace_period } of await composeInstances())
    // Five seconds more for what is being put into the store.
    assert.ok(parseInt(stop_grace_period) * 1000 > drainDelayMs + drainTimeoutMs + 5000);
});

test("gives an instance in docker-compose.yml memory for a conversion of 900 MB", async () => {
  for (const { environment, mem_limit } of await composeInstances())
    checkMemory({ ...environment, ELIOT_SYMBOLS_URLS: "" }, `${mem_limit}i`, {
      conversions: 1,
      symFileBytes: 900e6,
    });
});

test("calculates memory as docs/operations.md does", async () => {
  const section = (await read("docs/operations.md")).split("## Memory")[1] ?? "";
  const [idle = 0, store = 0] = Array.from(section.matchAll(/\| (\d+) MB \|/g), ([, megabytes]) =>
    Number(megabytes),
  );
  const { server, lookup, conversion, sharedCache } = readConfig({ ELIOT_SHARED_CACHE_URL: "s3://bucket" });
  const forWork = server.maxBodiesBytes + lookup.memoryBytes + conversion.threads * conversion.maxMemoryBytes;
  const planned = plannedMemory({ server, lookup, conversion, sharedCache });
  assert.equal((idle + store) * 1e6 + 1.5 * forWork, planned);
});

suite("deploy/kubernetes/base", () => {
  test("uses only existing settings", () => {
    assert.deepEqual(unknown(Object.keys(settings)), []);
  });

  test("gives a pod enough time to stop", () => {
    // Five seconds more for what is being put into the store.
    const { drainDelayMs, drainTimeoutMs } = config.server;
    assert.ok(pod.terminationGracePeriodSeconds * 1000 > drainDelayMs + drainTimeoutMs + 5000);
  });

  test("probes whether the instance works, not its dependencies", async () => {
    await using service = await startTestService();
    for (const { httpGet } of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
      assert.equal(httpGet.path, "/__lbheartbeat__");
      assert.equal((await fetch(service.url + httpGet.path)).status, 200);
      const port = container.ports.find(({ name }) => name === httpGet.port);
      assert.equal(port?.containerPort, config.server.port);
    }
  });

  test("has disk space for the cache, spooled responses, and evicted symcaches that are still open", () => {
    const mount = container.volumeMounts.find(({ mountPath }) => mountPath === config.diskCache.folder);
    const volume = pod.volumes.find(({ name }) => name === mount?.name);
    const room = bytes(volume?.emptyDir?.sizeLimit);
    assert.ok(room > config.diskCache.maxBytes + config.server.bulkSpoolBytes + 2e9, String(room));
    assert.ok(bytes(container.resources.requests["ephemeral-storage"]) >= room);
    assert.ok(bytes(container.resources.limits["ephemeral-storage"]) > room);
  });

  test("has a memory limit with room for two conversions of 900 MB", () => {
    checkMemory(settings, container.resources.limits["memory"], { conversions: 2, symFileBytes: 900e6 });
  });

  test("runs as the image's user", async () => {
    const [, user, group] = /^USER (\d+):(\d+)$/m.exec(await read("Dockerfile")) ?? [];
    const { runAsUser, runAsGroup } = pod.securityContext;
    assert.deepEqual([String(runAsUser), String(runAsGroup)], [user, group]);
  });
});

const builders = [
  ["kustomize", "build"],
  ["kubectl", "kustomize"],
] as const;
const builder = builders.find(([program]) => !spawnSync(program).error);
const skip = builder === undefined && !process.env["CI"] ? "needs kustomize or kubectl" : false;

suite("deploy/kubernetes/example", { skip }, () => {
  const build = () => {
    const [program, command] = builder ?? builders[0];
    const text = execFileSync(program, [command, "deploy/kubernetes/example"], {
      cwd: root,
      encoding: "utf8",
    });
    return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  };
  const named = (manifests: Manifest[], kind: string, name: string | undefined) =>
    manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);

  test("combines the base and the components in one namespace", () => {
    const manifests = build();
    const kinds =
      "ConfigMap ConfigMap Deployment HorizontalPodAutoscaler PodDisruptionBudget Service ServiceAccount";
    assert.equal(manifests.map(({ kind }) => kind).toSorted().join(" "), kinds); // prettier-ignore
    const namespaces = new Set(manifests.map(({ metadata }) => metadata.namespace));
    assert.equal(namespaces.size, 1);
  });

  test("configures the instances from the base, both components and the example, and with the shared cache's secret", () => {
    const manifests = build();
    const instance = named(manifests, "Deployment", "tseliot")!.spec.template.spec;
    const [maps, secrets] = instance.containers[0].envFrom.map((from) => from.configMapRef ?? from.secretRef);
    const { data } = named(manifests, "ConfigMap", maps?.name)!;
    assert.deepEqual(unknown(Object.keys(data)), []);
    for (const [name, value] of Object.entries(settings)) assert.equal(data[name], value);
    assert.match(data["ELIOT_SHARED_CACHE_URL"] ?? "", /^s3:/);
    assert.equal(readConfig(data).observability.statsdPort, 9125);
    assert.equal(secrets?.name, "tseliot-object-store");
  });

  test("mounts the metrics mapping where the exporter reads it", () => {
    const manifests = build();
    const instance = named(manifests, "Deployment", "tseliot")!.spec.template.spec;
    const volume = instance.volumes.find(({ configMap }) => configMap);
    assert.ok(named(manifests, "ConfigMap", volume?.configMap?.name)?.data["mapping.yaml"]);
  });
});
