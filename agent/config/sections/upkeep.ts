import { z } from "zod";
import { setting } from "../setting.ts";

/** How the chip is looked after while it works. */
export const upkeep = z.strictObject({
  policy: setting(
    z.enum(["none", "compensate", "full"]).default("full"),
    "With none it only ages; with compensate drift is measured and compensated from time to time; with full ranges, factors of outputs and devices are set anew, too, where that is not enough.",
    "full",
  ),
  everySeconds: setting(
    z.number().min(1).max(1e9).default(86_400),
    "Longest chip time between two calibrations. A young chip has more: one whenever its age grew by a tenth.",
    86_400,
    "s",
  ),
  tolerance: setting(
    z.number().min(0.0001).max(1).default(0.005),
    "Part of the answers that may differ from the digital network's beyond those that did when programmed, before more than a calibration is done.",
    0.005,
  ),
  refuseAbove: setting(
    z.number().min(0.001).max(1).default(0.25),
    "When so many answers would differ and nothing helps, the chip answers no more.",
    0.25,
  ),
});

/** What is done with answers that the noise of the chip could have decided. */
export const doubt = z.strictObject({
  policy: setting(
    z.enum(["mark", "repeat", "digital"]).default("mark"),
    "With mark they are said to be uncertain; with repeat they are read again and the mean is taken; with digital they are computed without the chip.",
    "repeat",
  ),
  sigmas: setting(
    z.number().min(0).max(100).default(2),
    "Margins below so many standard deviations of the chip's noise are in doubt.",
    2,
  ),
  reads: setting(z.int().min(2).max(1000).default(8), "Reads of a repeated answer, with the first.", 8),
});
