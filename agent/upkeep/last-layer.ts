import type { Manifest } from "../../models/manifest.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import { foldBatchNorm } from "../../models/network/fold-batch-norm.ts";
import type { DenseNode, Graph } from "../../models/network/graph.ts";
import { softmax } from "../../models/network/layers/activation.ts";
import { isWeighted } from "../../models/network/parts.ts";

/** The last layer of a classifier, with the weights that it was trained to. */
export type LastLayer = Pick<DenseNode, "name" | "weights" | "bias">;

/** The last layer of a network that can learn: dense, its softmax the answer of a classifier; undefined where it is not. */
export const lastLayerOf = (graph: Graph, { task, mapping }: Manifest): LastLayer | undefined => {
  if (task !== "classifier" || mapping.hardware?.weightSlices !== undefined) return undefined;
  const { nodes } = foldBatchNorm(graph);
  const at = nodes.findLastIndex(isWeighted);
  const [layer, ...behind] = nodes.slice(at);
  const kinds = behind.map(({ kind }) => kind).filter((kind) => kind !== "reshape");
  return layer?.kind === "dense" && kinds.join() === "softmax" ? layer : undefined;
};

/** The digital twin of a chip, with the last layer that it learned, where it did. */
export const twinOf = (graph: Graph, manifest: Manifest, learned: Float32Array | undefined): DigitalNetwork => {
  const twin = new DigitalNetwork(graph, { kernel: "simd" });
  if (learned !== undefined) twin.setWeights(lastLayerOf(graph, manifest)!.name, learned);
  return twin;
};

/** An input as the last layer of a chip gets it, and what it should be taken for. */
export interface Sample {
  /** What the layers before it make of the input on this chip. */
  readonly activations: Float32Array;
  /** Index of the label. */
  readonly label: number;
}

/** So many typical distances between samples of one label, and they are of one kind. */
const near = 1.5;

/**
 * Samples that nobody says are something else: those are left out that a labelled one of another label is near to, by the
 * distances among the samples of their label. What a model took wrongly from its first day on must not be kept.
 *
 * @param sure samples whose label is beyond doubt
 */
export const uncontradicted = (
  samples: readonly Sample[],
  sure: readonly Sample[],
  labelled: readonly Sample[],
): readonly Sample[] => {
  const nearest = (to: Sample, among: readonly Sample[]): number =>
    among.reduce((least, other) => Math.min(least, distance(to, other) || Infinity), Infinity);
  const typicalOf = (label: number): number => {
    const some = [...samples, ...sure].filter((sample) => sample.label === label);
    const distances = some.map((one) => nearest(one, some)).sort((a, b) => a - b);
    return distances[distances.length >> 1]!;
  };
  const typical = new Map(samples.map(({ label }) => [label, 0]));
  for (const label of typical.keys()) typical.set(label, typicalOf(label));
  return samples.filter((one) => {
    const others = labelled.filter(({ label }) => label !== one.label);
    return !others.some((other) => distance(one, other) <= near * typical.get(one.label)!);
  });
};

const distance = (a: Sample, b: Sample): number => {
  let sum = 0;
  for (let i = 0; i < a.activations.length; i++) sum += (a.activations[i]! - b.activations[i]!) ** 2;
  return Math.sqrt(sum);
};

/** Probabilities by weights as numbers [outputs × inputs]. */
export const digitalProbabilities = (
  weights: Float32Array,
  bias: Float32Array,
  activations: Float32Array,
): Float32Array => {
  const inputs = activations.length;
  const scores = bias.map((_, o) => activations.reduce((sum, x, i) => sum + weights[o * inputs + i]! * x, 0));
  return softmaxOf(scores, bias);
};

/** e^(score + bias) by their sum, in place. */
export const softmaxOf = (scores: Float32Array, bias: Float32Array): Float32Array => {
  for (let o = 0; o < scores.length; o++) scores[o]! += bias[o]!;
  softmax(scores, scores, scores.length);
  return scores;
};
