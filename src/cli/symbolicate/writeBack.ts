import type { Capture } from "../../../web/static/captures/capture.js";
import type { GeckoProfile } from "../../../web/static/captures/geckoProfile.js";
import type { ProcessedProfile } from "../../../web/static/captures/processedProfile.js";
import type { SymbolicatedCapture } from "../../../web/static/captures/symbolicateCapture.js";
import { writeBackCrash } from "./writeBackCrash.ts";
import { writeBackGeckoProfile } from "./writeBackGeckoProfile.ts";
import { writeBackProcessedProfile } from "./writeBackProcessedProfile.ts";

/** A file that can be written again with symbols in it. */
export interface WriteBack {
  /** Each frame that symbols are wanted of. */
  wanted: Capture;
  /** Gives the file with what is known of those frames; it is changed in place. */
  withSymbols: (
    frameOf: SymbolicatedCapture["frameOf"],
    outcomes: SymbolicatedCapture["outcomes"],
  ) => unknown;
}

/** What a capture was read from. */
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
