import type { Hardware } from "../../models/crossbar/array-spec.ts";
import { manifestKey, withManifest } from "../../models/load.ts";
import type { InputContract, Manifest, Mapping } from "../../models/manifest.ts";
import { calibrateRanges } from "../../models/network/calibrate-ranges.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { foldBatchNorm } from "../../models/network/fold-batch-norm.ts";
import type { Graph } from "../../models/network/graph.ts";
import { writeOnnx } from "../../models/onnx/write.ts";
import { dequantiseInto, quantiseTensor } from "../../models/quantisation.ts";
import { sizeOf } from "../../models/tensor.ts";
import type { Recipe } from "../datasets/recipe.ts";

const testVectorCount = 4;

/** What a model from elsewhere says of itself in place of a recipe. */
export type ImportedModel = Pick<Manifest, "name" | "version" | "modality" | "task" | "labels" | "decisions"> & {
  readonly mapping: Omit<Mapping, "ranges"> & { readonly calibrationSamples?: number };
};

/**
 * A trained graph as a model to ship: batch normalisation folded, ranges of converters set on real samples, test
 * vectors, manifest.
 *
 * @param calibration features as in training, before quantisation
 * @param inputMax    full scale of DACs by node, where training has learned them
 */
export const makeModel = (
  trained: Graph,
  recipe: Pick<Recipe, "name" | "version" | "modality" | "task" | "labels" | "decisions" | "mapping"> | ImportedModel,
  input: InputContract,
  calibration: readonly Float32Array[],
  made: Manifest["training"],
  inputMax: Readonly<Record<string, number>> = {},
): { bytes: Uint8Array; graph: Graph; manifest: Manifest } => {
  const graph = foldBatchNorm(trained);
  const codes = calibration.map((x) => quantiseTensor(x, input.shape, { scale: input.scale, zeroPoint: 0 }));
  const inputs = codes.map((code) => {
    const real = new Float32Array(code.data.length);
    dequantiseInto(code, real);
    return real;
  });
  const { calibrationSamples: _, hardware, ...sizes }: Recipe["mapping"] | ImportedModel["mapping"] = recipe.mapping;
  const mapping = calibrateRanges(graph, inputs, { ...sizes, inputScale: input.scale, inputMax });
  const network = new DigitalNetwork(graph, { kernel: "simd" });
  const testVectors = inputs.slice(0, testVectorCount).map((x, i) => {
    const output = new Float32Array(sizeOf(network.outputShape));
    network.infer(x, output);
    return { input: [...codes[i]!.data], output: [...output] };
  });
  const { name, version, modality, task, labels, decisions } = recipe;
  const manifest: Manifest = {
    ...{ name, version, modality, task, labels, input, decisions, testVectors },
    mapping: { ...mapping, ...(hardware && { hardware: hardware as Hardware }) },
    training: made,
  };
  const complete = withManifest({ ...graph, name }, manifest);
  return { bytes: writeOnnx(complete), graph: complete, manifest: JSON.parse(complete.metadata[manifestKey]!) };
};
