import { z } from "zod";
import { name, setting } from "../setting.ts";

const topic = z.string().regex(/^[^\0]{1,1024}$/);
const probability = z.number().min(0).max(1000);

/** What differs from a decision rule of the model. */
export const decision = z.strictObject({
  label: setting(z.string().min(1), "Label of the model that the rule is for.", "V"),
  severity: setting(z.enum(["critical", "major", "minor", "warning"]).optional(), "Severity of the anomaly.", "major"),
  enter: setting(probability.optional(), "Score at or above which a frame counts as a hit.", 0.9),
  leave: setting(probability.optional(), "Score below which a frame counts towards the end.", 0.5),
  confirm: setting(z.int().min(1).max(10000).optional(), "Hits among the last `window` frames that raise it.", 3),
  window: setting(z.int().min(1).max(10000).optional(), "Frames that `confirm` looks back.", 5, "frames"),
  refractoryMs: setting(z.number().min(0).max(1e9).optional(), "Silence after the end.", 1000, "ms"),
  minimumMs: setting(z.number().min(0).max(1e9).optional(), "How long it must last before it is raised.", 2000, "ms"),
  oncePerDay: setting(
    z.boolean().optional(),
    "Only the first of each day (UTC, since the agent's start) is raised.",
    true,
  ),
  suppressedBy: setting(
    z.array(z.string().min(1)).optional(),
    "Labels of the model: while one of them has an active anomaly, this one is recorded but not published.",
    ["noise"],
  ),
});

const level = z
  .strictObject({
    label: setting(z.string().min(1).max(64), "Label of the anomaly, none of the model's.", "loud"),
    channel: setting(z.string().min(1).optional(), "Channel that is watched; without it the first.", "acceleration"),
    measure: setting(
      z.enum(["rms", "peak", "value"]).default("rms"),
      "Of each window: `rms` of the deviation from its mean, `peak` the largest magnitude, `value` the mean.",
      "rms",
    ),
    above: setting(z.number().optional(), "Raised at or above this level, in physical units.", 0.2),
    below: setting(z.number().optional(), "Raised at or below this level; give either `above` or `below`.", 0.01),
    leave: setting(z.number().optional(), "Level beyond which it counts towards the end; without it the same.", 0.15),
    windowMs: setting(
      z.number().positive().max(3.6e6).default(1000),
      "Length of a window; at least a sample.",
      1000,
      "ms",
    ),
    severity: setting(
      z.enum(["critical", "major", "minor", "warning"]).default("warning"),
      "Severity of the anomaly.",
      "major",
    ),
    confirm: setting(z.int().min(1).max(10000).default(1), "Hits among the last `window` windows that raise it.", 3),
    window: setting(z.int().min(1).max(10000).default(1), "Windows that `confirm` looks back.", 5, "windows"),
    refractoryMs: setting(z.number().min(0).max(1e9).default(0), "Silence after the end.", 1000, "ms"),
    minimumMs: setting(z.number().min(0).max(1e9).default(0), "How long it must last before it is raised.", 2000, "ms"),
  })
  .refine(({ above, below }) => (above === undefined) !== (below === undefined), {
    message: "either above or below",
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

const time = z.strictObject({
  stamps: setting(z.enum(["first", "last"]).default("first"), "Which sample of a block the sender stamps.", "last"),
  rate: setting(
    z.enum(["nominal", "estimated"]).default("nominal"),
    "With `estimated` the sender's rate is only about what it says; it is measured by its stamps and the signal resampled.",
    "estimated",
  ),
  order: setting(
    z.enum(["time", "sequence"]).default("time"),
    "What puts blocks in order: their times, or the numbers (`session`, `seq`) that the sender gives them.",
    "sequence",
  ),
  lateBlocks: setting(
    z.int().min(0).max(64).default(4),
    "Blocks that wait, at most, for one that is missing before them; what comes later is dropped and counted.",
    4,
    "blocks",
  ),
  maxGapMs: setting(
    z.number().min(0).max(3.6e6).optional(),
    "Longest gap that is interpolated; what spans a longer one is never classified. Without it what suits the pipeline.",
    20,
    "ms",
  ),
});

const queue = z.strictObject({
  maxMessages: setting(z.int().min(1).max(100000).default(256), "Messages that may wait.", 256, "messages"),
  maxMegabytes: setting(z.number().min(0.01).max(10_000).default(16), "Bytes that may wait.", 16, "MB"),
  policy: setting(
    z.enum(["block", "drop-oldest", "sample"]).default("block"),
    "When it is full: `block` stops reading from the broker; what is lost is counted: `drop-oldest` loses the oldest, `sample` every second one that waits, so that all of the time stays covered.",
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
  time: time.prefault({}),
  queue: queue.prefault({}),
  decisions: setting(z.array(decision).default([]), "What differs from the decision rules of the model, by label.", [
    { label: "V", confirm: 3, window: 5 },
  ]),
  levels: setting(z.array(level).max(64).default([]), "Plain thresholds on the signal, beside the model.", [
    { label: "loud", measure: "rms", above: 0.2, leave: 0.15 },
  ]),
});
