import { z } from "zod";
import { setting } from "../setting.ts";

/** The simulated chip that the models run on. */
export const chip = z.strictObject({
  device: setting(
    z.string().min(1).default("pcm-nandakumar-2019"),
    "Device model of the crossbar, or digital for none.",
    "pcm-nandakumar-2019",
  ),
  seed: setting(z.int().min(0).max(0xffffffff).default(1), "Seed of all that is random in the devices.", 1),
  ageSeconds: setting(z.number().min(0).max(1e10).default(0), "Time since programming.", 86400, "s"),
  compensation: setting(
    z.enum(["none", "global", "per-column"]).default("global"),
    "How drift is compensated by calibration.",
    "global",
  ),
  kernel: setting(z.enum(["simd", "reference"]).default("simd"), "Which kernel computes the products.", "simd"),
});
