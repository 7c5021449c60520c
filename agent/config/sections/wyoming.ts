import { z } from "zod";
import { setting } from "../setting.ts";
import { decision } from "./stream.ts";

/** Wake words for Home Assistant and its satellites, by the Wyoming protocol. */
export const wyoming = z.strictObject({
  listen: setting(
    z
      .string()
      .regex(/^.+:\d{1,5}$/)
      .default("127.0.0.1:10400"),
    "Address of the service. The protocol knows no authentication: off the loopback interface anyone may ask.",
    "127.0.0.1:10400",
  ),
  model: setting(z.string().min(1).default("keywords-12"), "Model that listens, as of a stream.", "keywords-12"),
  decisions: setting(z.array(decision).default([]), "What differs from the decision rules of the model, by label.", [
    { label: "yes", enter: 0.95 },
  ]),
});
