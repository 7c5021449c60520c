import { z } from "zod";
import { setting } from "../setting.ts";
import { learning } from "./learning.ts";
import { temperature } from "./temperature.ts";
import { doubt, upkeep } from "./upkeep.ts";

/** The simulated chip that the models run on. */
export const chip = z.strictObject({
  device: setting(
    z.string().min(1).default("pcm-nandakumar-2019"),
    "Device model of the crossbar, or digital for none.",
    "pcm-nandakumar-2019",
  ),
  seed: setting(z.int().min(0).max(0xffffffff).default(1), "Seed of all that is random in the devices.", 1),
  ageSeconds: setting(
    z.number().min(0).max(1e10).default(0),
    "Age of a chip that is new to the agent; from then on it grows by the clock.",
    86400,
    "s",
  ),
  clockRate: setting(
    z.number().min(0).max(1e9).default(1),
    "Seconds that the chip lives in one second: 86400 is a day a second.",
    86400,
  ),
  maxAbsenceSeconds: setting(
    z.number().min(0).max(1e10).default(63_072_000),
    "Longest time without power that the calendar is believed; beyond it the chip ages by running time alone.",
    63_072_000,
    "s",
  ),
  celsius: setting(z.number().min(-40).max(125).default(25), "Temperature of the chip, where none is heard.", 40, "°C"),
  temperature: temperature.optional(),
  compensation: setting(
    z.enum(["none", "global", "per-column"]).default("global"),
    "How drift is compensated by calibration.",
    "global",
  ),
  kernel: setting(z.enum(["simd", "reference"]).default("simd"), "Which kernel computes the products.", "simd"),
  doubt: doubt.prefault({}),
  upkeep: upkeep.prefault({}),
  learning: learning.prefault({}),
});
