import { z } from "zod";
import { setting } from "../setting.ts";

/** Home Assistant: devices, entities and their states over MQTT. */
export const home = z.strictObject({
  discoveryPrefix: setting(
    z
      .string()
      .regex(/^[^+#\0]{1,200}$/)
      .default("homeassistant"),
    "First part of the topics that Home Assistant discovers devices by; it says `online` on {prefix}/status.",
    "homeassistant",
  ),
});
