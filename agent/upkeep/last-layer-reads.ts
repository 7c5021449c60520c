import type { CrossbarArray } from "../../models/crossbar/array.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import { type Programmed, relearn } from "../../models/crossbar/relearn.ts";
import { type LastLayer, softmaxOf } from "./last-layer.ts";
import type { LivingChip } from "./living-chip.ts";
import { verifyOf } from "./mending.ts";

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

/** The matrix of the last layer of a chip as it was programmed. */
export const programmedOf = ({ network, plan }: LivingChip, { name, weights }: LastLayer): Programmed => {
  const { pairing, scaleByColumn } = plan.manifest.mapping.hardware ?? {};
  return {
    ...{ array: network.arrays.get(name)!, weights, device: plan.device },
    ...(pairing && { pairing }),
    ...(scaleByColumn && { scaleByColumn }),
  };
};

/** Let devices and twin hold weights of the last layer. */
export const holdWeights = (chip: LivingChip, layer: LastLayer, weights: Float32Array): WriteCount => {
  const counts = relearn(programmedOf(chip, layer), weights, verifyOf(chip.plan.device));
  const tiles = counts.flatMap(({ devices }, tile) => (devices > 0 ? [{ array: layer.name, tile }] : []));
  if (tiles.length > 0) chip.wrote(tiles, "devices");
  chip.twin.setWeights(layer.name, weights);
  return counts.reduce(addWrites, noWrites);
};
