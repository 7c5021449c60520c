import { z } from "zod";
import { setting } from "../setting.ts";

/** What goes out beside events, and what is kept while the broker is away. Events are kept without limit. */
export const forward = z.strictObject({
  replayPerSecond: setting(
    z.number().min(0.1).max(100_000).default(200),
    "Messages a second, at most, of what had to wait for the broker.",
    200,
    "Hz",
  ),
  statisticsSeconds: setting(
    z.number().min(0).max(86_400).default(60),
    "How often the statistics of each stream are published; 0: never.",
    60,
    "s",
  ),
  ringMegabytes: setting(
    z.number().min(0.01).max(10_000).default(16),
    "Statistics that wait for the broker on disk, at most; the oldest give way.",
    16,
    "MB",
  ),
  ringHours: setting(
    z.number().min(0.01).max(100_000).default(168),
    "Age at which waiting statistics are forgotten.",
    168,
    "h",
  ),
});
