import type { Capture } from "../../../web/static/captures/capture.js";
import type { GeckoProfile } from "../../../web/static/captures/geckoProfile.js";
import type { ProcessedProfile } from "../../../web/static/captures/processedProfile.js";
import type { SymbolicatedCapture } from "../../../web/static/captures/symbolicateCapture.js";
import { fillableCrash } from "./fillCrash.ts";
import { fillableGeckoProfile } from "./fillGeckoProfile.ts";
import { fillableProcessedProfile } from "./fillProcessedProfile.ts";

/** A file that can be written again with symbols in it. */
export interface Fillable {
  /** Each frame that symbols are wanted of. */
  whole: Capture;
  /** Gives the file with what is known of those frames; it is changed in place. */
  fill: (frameOf: SymbolicatedCapture["frameOf"]) => unknown;
}

/** What a capture was read from. */
export function fillableOf(file: object, capture: Capture): Fillable {
  switch (capture.format) {
    case "Firefox profile":
      return fillableProcessedProfile(file as ProcessedProfile);
    case "Gecko profile":
      return fillableGeckoProfile(file as GeckoProfile);
    default:
      return fillableCrash(file, capture);
  }
}
