import { z } from "zod";
import { setting } from "../setting.ts";

/** Whether and how far a chip learns from what people say of its anomalies. */
export const learning = z.strictObject({
  policy: setting(
    z.enum(["none", "labels"]).default("none"),
    "With labels the last layer of a classifier learns, on its devices, from `anomalies ack --label`.",
    "labels",
  ),
  minimum: setting(
    z.int().min(4).max(256).default(12),
    "So many labelled anomalies that it has not learned from are needed, each time.",
    12,
  ),
  rate: setting(
    z.number().min(0.01).max(2).default(1),
    "Size of an update, as a part of the largest that surely converges.",
    1,
  ),
  updates: setting(z.int().min(1).max(1000).default(100), "Pulsed updates of one learning, at most.", 100),
  bound: setting(
    z.number().min(0.01).max(1).default(0.5),
    "How far a weight may leave its trained value, as a part of the range of its device.",
    0.25,
  ),
  mayForget: setting(
    z.number().min(0).max(0.5).default(0.05),
    "Part of the inputs kept from before that may be answered otherwise than before; where it is more, what was learned is taken back.",
    0.05,
  ),
  perDay: setting(z.int().min(1).max(1000).default(4), "Learnings in a day of the chip's clock, at most.", 4),
  pulsesPerDevice: setting(
    z.int().min(1).max(1e9).default(100_000),
    "A layer with a device that has had so many pulses learns no more.",
    100_000,
  ),
});
