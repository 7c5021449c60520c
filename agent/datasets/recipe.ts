import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import type { LayerSpec } from "../../models/training/specification.ts";
import { augmentationOf, data, layers, section, training } from "./recipe-sections.ts";

/**
 * A recipe says how a model is made: which data, which front end, which net, how trained, how decided.
 * With its seed it makes the same model again.
 */
const rule = section({
  label: z.string(),
  severity: z.enum(["critical", "major", "minor", "warning"]),
  enter: z.number(),
  leave: z.number(),
  confirm: z.int().min(1),
  window: z.int().min(1),
  refractoryMs: z.number().min(0),
});

/** `Hardware` of models/crossbar/array-spec.ts, what of it a model may ask of every chip. */
const hardware = section({
  pairs: z.int().optional(),
  pairing: z.enum(["one-sided", "two-sided"]).optional(),
  scaleByColumn: z.boolean().optional(),
  weightSlices: section({ bits: z.int(), count: z.int() }).optional(),
  spareColumns: z.int().optional(),
  spareTiles: z.int().optional(),
  inputSliceBits: z.int().optional(),
  converters: z.enum(["sign-magnitude", "plain"]).optional(),
  verify: z.strictObject({ acceptanceSiemens: z.number().positive(), maxPulses: z.int().min(1) }).optional(),
  slowNoise: z.boolean().optional(),
});

const recipeSchema = section({
  name: z.string().regex(/^[a-z0-9-]+$/),
  version: z.string(),
  /** One paragraph for the model card. */
  summary: z.string(),
  modality: z.enum(["audio", "ecg", "vibration", "sensor", "image"]),
  task: z.enum(["classifier", "autoencoder", "forecaster"]),
  labels: z.array(z.string()).min(2),
  data,
  input: section({
    sampleRateHz: z.number().positive(),
    channels: z.array(z.string()),
    shape: z.array(z.int().positive()),
    windowSamples: z.int().positive(),
    hopSamples: z.int().positive(),
    /** Features beyond ± this are clipped to the outermost codes. */
    clip: z.number().positive(),
    features: z.looseObject({ kind: z.string() }),
  }),
  net: section({ layers: layers as z.ZodType<readonly LayerSpec[]> }),
  training,
  augment: z.looseObject({}).optional(),
  mapping: section({
    dacBits: z.int(),
    adcBits: z.int(),
    tileInputs: z.int(),
    tileOutputs: z.int(),
    calibrationSamples: z.int().positive(),
    hardware: hardware.optional(),
  }),
  decisions: z.array(rule),
}).superRefine(({ data: { kind }, augment }, context) => {
  if (augment === undefined) return;
  const schema = augmentationOf(kind) ?? section({});
  for (const { message, path } of schema.safeParse(augment).error?.issues ?? []) {
    context.addIssue({ code: "custom", message, path: ["augment", ...path] });
  }
});

export type Recipe = z.infer<typeof recipeSchema>;

/** Records or loads left out of training together. */
export type Fold = readonly (string | number)[];

/** What the model that is kept is not trained on. */
export const leftOutOf = ({ data: from }: Recipe): Fold => ("leaveOut" in from ? from.leaveOut : []);

/** The folds of a recipe, each left out of a training of its own. */
export const foldsOf = ({ data: from }: Recipe): readonly Fold[] => ("folds" in from ? from.folds : []);

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
