import { z } from "zod";
import { live, setting } from "../setting.ts";

/** What the agent says of itself. */
export const log = z.strictObject({
  level: live(
    setting(
      z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
      "What is written to standard error at least.",
      "info",
    ),
  ),
});
