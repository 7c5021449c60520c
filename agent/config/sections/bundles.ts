import { z } from "zod";
import { live, setting } from "../setting.ts";

/** Models that are installed while the agent runs. */
export const bundles = live(
  z.strictObject({
    trustedKeys: setting(
      z.array(z.string().min(1)).max(16).default([]),
      "Files with the public keys (Ed25519, PEM) of those whose models are installed; without any none is.",
      ["/etc/ohmwatch/models.pub.pem"],
    ),
    shadowFrames: setting(
      z.int().min(1).max(1e6).default(100),
      "Frames that a new model runs beside the one that counts before it takes its place.",
      100,
      "frames",
    ),
    watchFrames: setting(
      z.int().min(1).max(1e6).default(1000),
      "Frames after that in which the one before stays ready to come back.",
      1000,
      "frames",
    ),
    leastAgreement: setting(
      z.number().min(0).max(1).default(0.8),
      "Share of frames that both must give the same label.",
      0.8,
    ),
    maxExtraAlarms: setting(
      z.int().min(0).max(1e6).default(3),
      "Anomalies that the new one may raise more than the one before, in either time.",
      3,
    ),
  }),
);
