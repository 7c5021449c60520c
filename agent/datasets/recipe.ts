import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

/**
 * A recipe says how a model is made: which data, which front end, which net, how trained, how decided.
 * With its seed it makes the same model again.
 */
const rule = z.strictObject({
  label: z.string(),
  severity: z.enum(["critical", "major", "minor", "warning"]),
  enter: z.number(),
  leave: z.number(),
  confirm: z.int().min(1),
  window: z.int().min(1),
  refractoryMs: z.number().min(0),
});

/** `Hardware` of models/crossbar/array-spec.ts, what of it a model may ask of every chip. */
const hardware = z.strictObject({
  pairs: z.int().optional(),
  pairing: z.enum(["one-sided", "two-sided"]).optional(),
  scaleByColumn: z.boolean().optional(),
  weightSlices: z.strictObject({ bits: z.int(), count: z.int() }).optional(),
  spareColumns: z.int().optional(),
  inputSliceBits: z.int().optional(),
  converters: z.enum(["sign-magnitude", "plain"]).optional(),
  verify: z.strictObject({ acceptanceSiemens: z.number().positive(), maxPulses: z.int().min(1) }).optional(),
  slowNoise: z.boolean().optional(),
});

const recipeSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  version: z.string(),
  /** One paragraph for the model card. */
  summary: z.string(),
  modality: z.enum(["audio", "ecg", "vibration", "sensor", "image"]),
  task: z.enum(["classifier", "autoencoder"]),
  labels: z.array(z.string()).min(2),
  data: z.looseObject({ kind: z.enum(["keywords", "ecg-beats", "bearing-faults", "pump", "digits"]) }),
  input: z.strictObject({
    sampleRateHz: z.number().positive(),
    channels: z.array(z.string()),
    shape: z.array(z.int().positive()),
    windowSamples: z.int().positive(),
    hopSamples: z.int().positive(),
    /** Features beyond ± this are clipped to the outermost codes. */
    clip: z.number().positive(),
    features: z.looseObject({ kind: z.string() }),
  }),
  net: z.strictObject({ layers: z.array(z.looseObject({ kind: z.string() })).min(1) }),
  training: z.looseObject({ seed: z.int(), epochs: z.int().positive() }),
  augment: z.looseObject({}).optional(),
  mapping: z.strictObject({
    dacBits: z.int(),
    adcBits: z.int(),
    tileInputs: z.int(),
    tileOutputs: z.int(),
    calibrationSamples: z.int().positive(),
    hardware: hardware.optional(),
  }),
  decisions: z.array(rule),
});

export type Recipe = z.infer<typeof recipeSchema>;

/** A recipe that cannot be used: each mistake a line. */
export class RecipeError extends Error {
  override readonly name = "RecipeError";
}

/** Read and check a recipe. @throws RecipeError naming every mistake */
export const readRecipe = (path: string): Recipe => {
  const result = recipeSchema.safeParse(parse(readFileSync(path, "utf8"), { merge: true }));
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => `${path}: ${issue.path.join(".") || "(root)"}: ${issue.message}`);
  throw new RecipeError(lines.join("\n"));
};
