import type { CrossbarArray } from "../../models/crossbar/array.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Manifest } from "../../models/manifest.ts";
import { foldBatchNorm } from "../../models/network/fold-batch-norm.ts";
import type { DenseNode, Graph } from "../../models/network/graph.ts";
import { isWeighted } from "../../models/network/parts.ts";
import type { LivingChip } from "./living-chip.ts";
import { verifyOf } from "./self-test.ts";

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
 */
export const uncontradicted = (samples: readonly Sample[], labelled: readonly Sample[]): readonly Sample[] => {
  const nearest = (to: Sample, among: readonly Sample[]): number =>
    among.reduce((least, other) => (other === to ? least : Math.min(least, distance(to, other))), Infinity);
  const ofLabel = Map.groupBy(samples, ({ label }) => label);
  const typical = new Map(
    [...ofLabel].map(([label, some]) => {
      const distances = some.map((one) => nearest(one, some)).sort((a, b) => a - b);
      return [label, some.length < 2 ? 0 : distances[distances.length >> 1]!];
    }),
  );
  return samples.filter((one) => {
    const others = labelled.filter(({ label }) => label !== one.label);
    return nearest(one, others) > near * typical.get(one.label)!;
  });
};

const distance = (a: Sample, b: Sample): number => {
  let sum = 0;
  for (let i = 0; i < a.activations.length; i++) sum += (a.activations[i]! - b.activations[i]!) ** 2;
  return Math.sqrt(sum);
};

/** The last layer on the devices of a chip: reads of it and of what comes to it. Each read has noise of its own. */
export class LastLayerReads {
  readonly layer: LastLayer;
  readonly array: CrossbarArray;
  /** Whole inferences, and products of this layer by itself. */
  inferences = 0;
  products = 0;
  readonly #chip: LivingChip;
  readonly #first: number;
  readonly #scores: Float32Array;
  readonly #output: Float32Array;

  constructor(chip: LivingChip, layer: LastLayer) {
    this.layer = layer;
    this.array = chip.network.arrays.get(layer.name)!;
    this.#chip = chip;
    // Numbers of their own, told apart by the time, as those of `LivingChip.look` are; theirs lie below.
    this.#first = 2 ** 51 + 4096 * Math.round(1000 * chip.network.atSeconds);
    this.#scores = new Float32Array(layer.bias.length);
    this.#output = new Float32Array(layer.bias.length);
  }

  /** Run an input, and take what came to the last layer. */
  activationsOf(input: Float32Array): Float32Array {
    const { network } = this.#chip;
    const { inference } = network;
    network.restartNoise(this.#first + this.inferences++);
    network.infer(input, this.#output);
    network.restartNoise(inference);
    return this.array.lastInput();
  }

  /** Probabilities by the devices as they are now; valid until the next call. */
  probabilitiesOf(activations: Float32Array): Float32Array {
    this.array.multiply(activations, this.#scores, this.#first + 2 ** 50 + this.products++);
    return softmaxOf(this.#scores, this.layer.bias);
  }
}

/** Let devices and twin hold weights of the last layer. */
export const holdWeights = (chip: LivingChip, layer: LastLayer, weights: Float32Array): WriteCount => {
  const array = chip.network.arrays.get(layer.name)!;
  const counts = array.relearn(weights, verifyOf(chip.plan.device));
  const tiles = counts.flatMap(({ devices }, tile) => (devices > 0 ? [{ array: layer.name, tile }] : []));
  if (tiles.length > 0) chip.wrote(tiles, "devices");
  chip.twin.setWeights(layer.name, weights);
  return counts.reduce(addWrites, noWrites);
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

const softmaxOf = (scores: Float32Array, bias: Float32Array): Float32Array => {
  let most = Number.NEGATIVE_INFINITY;
  for (let o = 0; o < scores.length; o++) most = Math.max(most, scores[o]! + bias[o]!);
  let sum = 0;
  for (let o = 0; o < scores.length; o++) {
    scores[o] = Math.exp(scores[o]! + bias[o]! - most);
    sum += scores[o]!;
  }
  for (let o = 0; o < scores.length; o++) scores[o] = scores[o]! / sum;
  return scores;
};
