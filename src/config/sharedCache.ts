import { z } from "zod";
import { constant, setting } from "./setting.ts";

const bucketUrl = z.string().transform((text, context) => {
  if (text === "") return undefined;
  const [, name = "", path = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]+)(\/[\w/.-]*)?$/.exec(text) ?? [];
  const prefix = path.replace(/^\/+|\/+$/g, "");
  // `..` would leave the bucket, and stores disagree about empty segments and `.`.
  const isPlain = prefix === "" || prefix.split("/").every((folder) => !["", ".", ".."].includes(folder));
  if (name !== "" && isPlain) return { name, prefix };
  context.addIssue("is not s3://bucket or s3://bucket/prefix");
  return z.NEVER;
});

const endpoint = z
  .string()
  .refine(
    (text) => text === "" || (/^https?:\/\/[^\s/\\?#@]+\/?$/i.test(text) && URL.canParse(text)),
    "is not a URL such as https://host or http://host:9000",
  );

const region = z
  .string()
  .trim()
  .regex(/^[\w-]+$/, "is not a region such as eu-west-1");

/** A secret that was read from a file often ends in a newline. */
const awsKey = z.string().trim();

/** An S3-compatible store in which instances share symcaches. */
export const SharedCacheSettings = z.object({
  bucket: setting(
    "ELIOT_SHARED_CACHE_URL",
    bucketUrl,
    "",
    "`s3://bucket` or `s3://bucket/prefix` in which instances share symcaches (docs/caching.md); empty turns the shared cache off",
  ),
  endpoint: setting(
    "ELIOT_SHARED_CACHE_ENDPOINT",
    endpoint,
    "",
    "URL of an S3-compatible store, such as `http://minio:9000`; empty means Amazon S3",
  ),
  region: setting("AWS_REGION", region, "us-east-1", "region of the store"),
  accessKeyId: setting(
    "AWS_ACCESS_KEY_ID",
    awsKey,
    "",
    "access key of the store; empty: found as AWS tools do, from profiles or the machine's role",
    { isSecret: true },
  ),
  secretAccessKey: setting("AWS_SECRET_ACCESS_KEY", awsKey, "", "secret of that key", { isSecret: true }),
  sessionToken: setting("AWS_SESSION_TOKEN", awsKey, "", "session token of a temporary key", {
    isSecret: true,
  }),
  /** To connect to the store, until it responds, and between two chunks of a body. */
  stallTimeoutMs: constant(2_000),
  /** To copy a symcache from the store to the disk cache. After a timeout, the sym file is converted instead. */
  getTimeoutMs: constant(10_000),
  /** How long the circuit breaker of the store stays open. */
  breakerCooldownMs: constant(15_000),
});
type AllSharedCacheSettings = z.infer<typeof SharedCacheSettings>;

/** The settings when the shared cache is on. */
export type SharedCacheSettings = AllSharedCacheSettings & {
  bucket: NonNullable<AllSharedCacheSettings["bucket"]>;
};
