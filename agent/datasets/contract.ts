import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { RecipeError } from "./recipe.ts";

/** What streams and features a model from elsewhere takes: `modality` and `input` as recipes have them. */
const contractSchema = z.strictObject({
  modality: z.enum(["audio", "ecg", "vibration", "sensor", "image"]),
  input: z.strictObject({
    sampleRateHz: z.number().positive(),
    channels: z.array(z.string()),
    windowSamples: z.int().positive(),
    hopSamples: z.int().positive(),
    /** Features beyond ± this are clipped; left out, the largest of the calibration. */
    clip: z.number().positive().optional(),
    features: z.looseObject({ kind: z.string() }),
  }),
});

/** Read and check a contract. @throws RecipeError naming every mistake */
export const readContract = (path: string) => {
  const result = contractSchema.safeParse(parse(readFileSync(path, "utf8")));
  if (result.success) return { modality: result.data.modality, ...result.data.input };
  const lines = result.error.issues.map((issue) => `${path}: ${issue.path.join(".") || "(root)"}: ${issue.message}`);
  throw new RecipeError(lines.join("\n"));
};
