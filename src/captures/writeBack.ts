import type { Capture } from "./capture.ts";
import type { GeckoProfile } from "./geckoProfile.ts";
import type { ProcessedProfile } from "./processedProfile.ts";
import type { SymbolicatedCapture } from "./symbolicateCapture.ts";
import { writeBackCrash } from "./writeBackCrash.ts";
import { writeBackGeckoProfile } from "./writeBackGeckoProfile.ts";
import { writeBackProcessedProfile } from "./writeBackProcessedProfile.ts";

/** A file that symbols can be written back to. */
export interface WriteBack {
  /** Every frame of the file that can have symbols. */
  wanted: Capture;
  /** Adds the symbols of those frames to the file, in place, and returns it. */
  addSymbols: (symbolicated: SymbolicatedCapture) => object;
}

/** `capture` is what captureOf() has read from `file`. */
export function writeBackOf(file: object, capture: Capture): WriteBack {
  switch (capture.format) {
    case "Firefox profile":
      return writeBackProcessedProfile(file as ProcessedProfile);
    case "Gecko profile":
      return writeBackGeckoProfile(file as GeckoProfile);
    default:
      return writeBackCrash(file, capture);
  }
}
