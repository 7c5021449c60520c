import { z } from "zod";
import { name, setting } from "../setting.ts";

const topic = z.string().regex(/^[^\0]{1,1024}$/);
const probability = z.number().min(0).max(1000);

const decision = z.strictObject({
  label: setting(z.string().min(1), "Label of the model that the rule is for.", "V"),
  severity: setting(z.enum(["critical", "major", "minor", "warning"]).optional(), "Severity of the anomaly.", "major"),
  enter: setting(probability.optional(), "Score at or above which a frame counts as a hit.", 0.9),
  leave: setting(probability.optional(), "Score below which a frame counts towards the end.", 0.5),
  confirm: setting(z.int().min(1).max(10000).optional(), "Hits among the last `window` frames that raise it.", 3),
  window: setting(z.int().min(1).max(10000).optional(), "Frames that `confirm` looks back.", 5, "frames"),
  refractoryMs: setting(z.number().min(0).max(1e9).optional(), "Silence after the end.", 1000, "ms"),
});

const settings = z.strictObject({
  rateHz: setting(z.number().min(0.001).max(1e6).optional(), "Sample rate, where the payload has none.", 16000, "Hz"),
  format: setting(
    z.enum(["s16le", "s24le", "f32le"]).optional(),
    "Format of raw samples, where the payload does not say.",
    "s16le",
  ),
  channels: setting(
    z.array(z.string().min(1)).min(1).max(64).optional(),
    "Names of the channels, where the payload has none.",
    ["mono"],
  ),
  scale: setting(z.number().positive().optional(), "Physical units in one count of raw samples.", 3.0517578125e-5),
});

const queue = z.strictObject({
  maxMessages: setting(z.int().min(1).max(100000).default(256), "Messages that may wait.", 256, "messages"),
  policy: setting(
    z.enum(["block", "drop-oldest"]).default("block"),
    "When it is full: `block` stops reading from the broker, `drop-oldest` loses the oldest and counts it.",
    "drop-oldest",
  ),
});

/** One stream: where it comes in, what it is, which model listens. */
export const stream = z.strictObject({
  name: setting(name, "Name of the stream, unique.", "bed-7-ecg"),
  topic: setting(topic.optional(), "Topic filter; without it {base}/in/{name}.", "ward/+/ecg"),
  codec: setting(z.string().min(1).default("protobuf"), "Codec of the payloads.", "json"),
  pipeline: setting(z.enum(["audio", "ecg", "vibration", "sensor"]), "Pipeline that the samples run through.", "ecg"),
  model: setting(z.string().min(1), "Model of the zoo by name, or an .onnx file by path.", "ecg-beats"),
  settings: settings.prefault({}),
  queue: queue.prefault({}),
  decisions: setting(z.array(decision).default([]), "What differs from the decision rules of the model, by label.", [
    { label: "V", confirm: 3, window: 5 },
  ]),
});
