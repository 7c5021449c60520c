import { z } from "zod";
import type { LayerKind } from "../../models/training/specification.ts";
import { nearest } from "../config/mistakes.ts";

/** A section that refuses a key which it does not know, with the one that was perhaps meant. */
export const section = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return undefined;
      const known = Object.keys(shape);
      return issue.keys
        .map((key) => {
          const near = nearest(key, known);
          const hint = near === undefined ? "" : `, did you mean ${near}?`;
          return `expected one of ${known.join(", ")}, got the unknown key ${key}${hint}`;
        })
        .join("; ");
    },
  });

/** For a choice by `kind`: which there are, and which was perhaps meant. */
const kindsError = (known: readonly string[]) => ({
  error: (issue: { readonly code?: string; readonly input?: unknown }): string | undefined => {
    if (issue.code !== "invalid_union") return undefined;
    const got = String((issue.input as { kind?: unknown } | undefined)?.kind);
    const near = nearest(got, known);
    return `expected one of ${known.join(", ")}, got ${got}${near === undefined ? "" : `, did you mean ${near}?`}`;
  },
});

const part = z.number().min(0).max(1);
const count = z.int().positive();
const notNegative = z.number().min(0);

/** `training.hardware:`, as `HardwareOptions`. */
const hardware = section({
  weightNoise: notNegative.optional(),
  weightNoiseShape: z.array(z.number()).optional(),
  weightClip: z.number().positive().optional(),
  driftSeconds: notNegative.optional(),
  stuckDevices: part.optional(),
  noiseFromEpoch: z.int().min(0).optional(),
  activationBits: z.int().min(2).max(16).optional(),
  inputMax: z.number().positive().optional(),
  learnInputRange: z.boolean().optional(),
  adcBits: z.int().min(2).max(16).optional(),
  outputNoise: notNegative.optional(),
});

/** `training:`, as `TrainOptions`; the teacher by its path from the recipe. */
export const training = section({
  seed: z.int().min(0),
  epochs: count,
  batchSize: count,
  optimiser: z.enum(["adamw", "sgd"]).optional(),
  momentum: part.optional(),
  learningRate: z.number().positive(),
  weightDecay: notNegative,
  warmupEpochs: notNegative,
  clipNorm: notNegative.optional(),
  labelSmoothing: part.optional(),
  classWeights: z.array(z.number().min(0)).optional(),
  mixup: part.optional(),
  distillation: section({
    teacher: z.string(),
    weight: part.optional(),
    temperature: z.number().positive().optional(),
  }).optional(),
  /** So many nets from seeds one after the other, joined by the mean of their logits; one unless given. */
  committee: z.int().min(1).max(16).optional(),
  loss: z.enum(["cross-entropy", "mean-square", "next-step"]),
  hardware: hardware.optional(),
  workers: z.literal([1, 2]),
});

const pair = z.tuple([count, count]);
const window = { kernel: pair, stride: pair.optional(), padding: z.enum(["same", "valid"]).optional() };
const bias = z.boolean().optional();
const kind = <K extends string>(name: K) => z.literal(name);
const pool = <K extends string>(name: K) => section({ kind: kind(name), ...window });
const plain = <K extends string>(name: K) => section({ kind: kind(name) });

const layerKinds: readonly LayerKind[] = [
  ...([
    "conv",
    "depthwise",
    "dense",
    "batch-norm",
    "relu",
    "sigmoid",
    "tanh",
    "gru",
    "max-pool",
    "average-pool",
  ] as const),
  ...(["global-average-pool", "flatten", "residual", "dropout"] as const),
];

/** `net.layers:`, as `LayerSpec`. */
export const layers: z.ZodType = z
  .array(
    z.discriminatedUnion(
      "kind",
      [
        section({ kind: kind("conv"), channels: count, ...window, bias }),
        section({ kind: kind("depthwise"), ...window, bias }),
        section({ kind: kind("dense"), outputs: count, bias }),
        section({ kind: kind("batch-norm"), epsilon: z.number().positive().optional() }),
        section({ kind: kind("gru"), hidden: count, gives: z.enum(["last", "all"]).optional() }),
        section({ kind: kind("dropout"), rate: part }),
        section({
          kind: kind("residual"),
          get layers() {
            return layers;
          },
          get shortcut() {
            return layers.optional();
          },
        }),
        pool("max-pool"),
        pool("average-pool"),
        ...(["relu", "sigmoid", "tanh", "global-average-pool", "flatten"] as const).map(plain),
      ],
      kindsError(layerKinds),
    ),
  )
  .min(1);

/** Records, or loads, that are left out together. */
const fold = z.array(z.union([z.string(), z.number()])).min(1);

/** `data:`, by kind. */
export const data = z.discriminatedUnion(
  "kind",
  [
    plain("keywords"),
    plain("digits"),
    plain("pump"),
    section({
      kind: kind("nab"),
      /** Rows between the starts of two windows to train on. */
      hopRows: count,
      /** Of the largest scores of the series in training: where the threshold is. */
      thresholdQuantile: part,
    }),
    section({
      kind: kind("ecg-beats"),
      /** Of DS1: each is left out once, to see how a net of its kind does on patients that it does not know. */
      folds: z.array(fold),
      balance: section({
        normalBeats: count,
        factor: z.number().positive(),
        power: part,
        blockedBeats: count,
        rearranged: section({ normalBeats: count, earlyBeats: count }),
      }),
    }),
    section({
      kind: kind("bearing-faults"),
      /** Loads that are not trained on, hp, in the model that is kept, and in each fold. */
      leaveOut: fold,
      folds: z.array(fold),
    }),
  ],
  kindsError(["keywords", "digits", "pump", "ecg-beats", "bearing-faults", "nab"]),
);

const augmentations = {
  keywords: section({
    shiftFrames: notNegative,
    gainDb: notNegative,
    noiseProbability: part,
    frequencyMasks: notNegative,
    frequencyMaskBands: notNegative,
    timeMasks: notNegative,
    timeMaskFrames: notNegative,
  }),
  digits: section({
    shiftPixels: notNegative,
    turnDegrees: notNegative,
    stretch: notNegative,
    shear: notNegative,
    bendPixels: notNegative,
    bendGridPixels: z.number().positive(),
  }),
  "ecg-beats": section({
    amplitude: notNegative,
    noise: notNegative,
    wander: notNegative,
    shiftSamples: notNegative,
    numberNoise: notNegative,
    numberLoss: part,
  }),
};

/** `augment:` of a kind of data; undefined where it has none. */
export const augmentationOf = (of: string): z.ZodType | undefined =>
  (augmentations as Readonly<Record<string, z.ZodType>>)[of];
