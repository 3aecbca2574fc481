import { z } from "zod";
import { integer, size } from "./formats.ts";
import { constant, setting } from "./setting.ts";

/** The threads that convert sym files into symcaches. */
export const ConversionSettings = z.object({
  threads: setting(
    "ELIOT_CONVERTERS",
    integer(1, 64),
    "3",
    "maximum number of concurrent conversions, each in its own thread",
  ),
  maxMemoryBytes: setting(
    "ELIOT_CONVERTER_MEMORY",
    size("4mb"),
    "3gb",
    "maximum memory of one conversion; larger modules are `too_large`",
  ),
  /** For one step of a converter, such as a chunk of 1 MiB. */
  stepTimeoutMs: constant(60_000),
  /** For a whole conversion, without the time spent waiting for the download. */
  totalTimeoutMs: constant(120_000),
});
