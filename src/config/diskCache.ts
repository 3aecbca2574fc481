import { z } from "zod";
import { nonempty, size } from "./formats.ts";
import { constant, setting } from "./setting.ts";

/** The folder of symcaches on disk. */
export const DiskCacheSettings = z.object({
  folder: setting("ELIOT_SYMBOLS_CACHE_DIR", nonempty, "/tmp/cache", "folder of the disk cache"),
  maxBytes: setting(
    "ELIOT_SYMBOLS_CACHE_MAX_SIZE",
    size("1mb"),
    "1gb",
    "maximum size of the disk cache, at least 1mb; `kb` to `tb` are decimal, `kib` to `tib` binary, `_` is allowed",
  ),
  /** Between two scans for files that other processes added or removed. */
  rescanIntervalMs: constant(60_000),
});
