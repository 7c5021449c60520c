import { z } from "zod";
import { setting } from "../setting.ts";

/** Where the temperature of the chip is heard. */
export const temperature = z
  .strictObject({
    stream: setting(
      z.string().min(1).optional(),
      "A configured stream that carries it beside its other channels; give either `stream` or `topic`.",
      "pump",
    ),
    topic: setting(
      z
        .string()
        .regex(/^[^+#\0]{1,1024}$/)
        .optional(),
      "A topic of its own, without wildcards, that no stream takes.",
      "zigbee2mqtt/cabinet",
    ),
    codec: setting(z.string().min(1).default("readings"), "Codec of the payloads on `topic`.", "json"),
    channel: setting(z.string().min(1).default("temperature"), "Channel that carries it, in °C.", "temperature"),
    staleSeconds: setting(
      z.number().min(1).max(1e6).default(600),
      "After so long without a temperature that can be, `chip.celsius` is taken until one comes.",
      600,
      "s",
    ),
  })
  .refine(({ stream, topic }) => (stream === undefined) !== (topic === undefined), {
    message: "either stream or topic",
  });
