import type { CaptureOfAnySize } from "./capture.ts";
import type { GeckoProfile } from "./geckoProfile.ts";
import type { ProcessedProfile } from "./processedProfile.ts";
import type { SymbolicatedCapture } from "./symbolicateCapture.ts";
import { writeBackCrash } from "./writeBackCrash.ts";
import { writeBackGeckoProfile } from "./writeBackGeckoProfile.ts";
import { writeBackProcessedProfile } from "./writeBackProcessedProfile.ts";

/** A file that symbols can be written back to. */
export interface WriteBack {
  /** Every frame of the file that can have symbols. */
  wanted: CaptureOfAnySize;
  /** Returns the file with the symbols of those frames. */
  addSymbols: (symbolicated: SymbolicatedCapture) => object;
}

/** `capture` is what captureOf() has read from `file`. */
export function writeBackOf(file: object, capture: CaptureOfAnySize): WriteBack {
  switch (capture.format) {
    case "Firefox profile":
      return writeBackProcessedProfile(file as ProcessedProfile);
    case "Gecko profile":
      return writeBackGeckoProfile(file as GeckoProfile);
    default:
      return writeBackCrash(file, { ...capture, threads: [...capture.threads] });
  }
}
