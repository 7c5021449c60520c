import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SequentialRandom } from "../../../models/random.ts";

/** The reference models of MLPerf Tiny, by the names of their files. */
export const mlperfModels = [
  "kws_ref_model",
  "kws_ref_model_float32",
  "ad01_int8",
  "ad01_fp32",
  "pretrainedResnet_quant",
  "pretrainedResnet",
] as const;
export type MlperfModel = (typeof mlperfModels)[number];

/** How the codes of the keyword features stand for reals, as the int8 model has it. */
export const keywordCodes = { scale: 0.5847029089927673, zeroPoint: 83 };

const size = 490;

/** The 200 labelled feature vectors, as codes, and the class of each. */
export const keywordVectors = (folder: string): { codes: Int8Array[]; labels: number[] } => {
  const bytes = readFileSync(join(folder, "kws01-first200-mfcc-int8.bin"));
  const lines = readFileSync(join(folder, "kws01-first200-y_labels.csv"), "utf8").trim().split("\n");
  return {
    codes: lines.map((_, i) => Int8Array.from(bytes.subarray(i * size, (i + 1) * size))),
    labels: lines.map((line) => Number(line.split(",")[2])),
  };
};

/** Inputs that the models are compared on: real features for the keywords, seeded numbers of their range for the others. */
export const mlperfInputs = (name: MlperfModel, folder: string): (Int8Array | Float32Array)[] => {
  if (name === "kws_ref_model") return keywordVectors(folder).codes;
  if (name === "kws_ref_model_float32") {
    const { scale, zeroPoint } = keywordCodes;
    const { codes } = keywordVectors(folder);
    return codes.slice(0, 20).map((c) => Float32Array.from(c, (code) => scale * (code - zeroPoint)));
  }
  const random = new SequentialRandom(2026);
  const [length, middle, spread] = name.startsWith("ad01") ? [640, -15, 8] : [32 * 32 * 3, 128, 60];
  return Array.from({ length: 4 }, () => {
    let walk = 0; // neighbours alike, as in spectra and pictures
    const reals = Float32Array.from({ length }, () => {
      walk = 0.9 * walk + 0.44 * random.gaussian();
      return middle + spread * walk;
    });
    if (name === "ad01_int8") return Int8Array.from(reals, (x) => clip(Math.round(x / 0.3910152316093445) + 89));
    if (name === "pretrainedResnet_quant") return Int8Array.from(reals, (x) => clip(Math.round(x) - 128));
    return name === "pretrainedResnet" ? reals.map((x) => Math.min(255, Math.max(0, Math.round(x)))) : reals;
  });
};

const clip = (code: number): number => Math.min(127, Math.max(-128, code));
