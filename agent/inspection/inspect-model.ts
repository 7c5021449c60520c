import type { CrossbarArray } from "../../models/crossbar/array.ts";
import type { CalibrationMode } from "../../models/crossbar/calibration.ts";
import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import type { WriteCount } from "../../models/crossbar/programming.ts";
import { type Activity, evenActivity, measureActivity } from "../../models/energy/activity.ts";
import { type LayerCost, type NetworkCost, networkCost } from "../../models/energy/network-cost.ts";
import type { ChipDesign } from "../../models/energy/tile-cost.ts";
import type { Manifest } from "../../models/manifest.ts";
import { AnalogNetwork } from "../../models/network/analog.ts";
import { foldBatchNorm } from "../../models/network/fold-batch-norm.ts";
import type { Graph } from "../../models/network/graph.ts";
import { isWeighted, partsOf, rowsOf, type WeightedNode } from "../../models/network/parts.ts";
import { type Shape, sizeOf } from "../../models/tensor.ts";
import { ageAt, type ChipHardware, networkOptionsOf } from "../chip-hardware.ts";
import { fitWeights, type WeightFit } from "./fit-weights.ts";

export interface InspectOptions extends ChipHardware {
  readonly device: DeviceModel;
  readonly seed: number;
  /** Age at which saturation, drift and outputs are looked at, s. */
  readonly ageSeconds: number;
  readonly compensation: CalibrationMode;
  readonly design: ChipDesign;
}

/** One tile as programmed. */
export interface InspectedTile {
  readonly outputFrom: number;
  readonly inputFrom: number;
  readonly outputs: number;
  readonly inputs: number;
  /** Full scale of its ADC, in units of W·x. */
  readonly outputMax: number;
  /** Share of its conversions that were clipped on the test vectors. */
  readonly clippedOutputs: number;
  /** How far the programmed pairs are from their targets, S of G⁺ − G⁻, and how far they are at the age. */
  readonly programmed: WeightFit;
  readonly aged: WeightFit;
  /** Conductances of the devices, S, plus and minus of each pair in turn, [outputs × inputs × 2]. */
  readonly siemens: Float32Array;
  readonly agedSiemens: Float32Array;
}

/** One matrix of the network on its tiles. */
export interface InspectedArray {
  readonly name: string;
  readonly node: string;
  readonly kind: WeightedNode["kind"];
  readonly outputShape: Shape;
  readonly outputs: number;
  readonly inputs: number;
  /** Of the layer; a depthwise layer stands on a matrix with more pairs than it has weights. */
  readonly weights: number;
  readonly tiles: readonly InspectedTile[];
  /** Pairs of its tiles in use, of all pairs that tiles of full size have. */
  readonly utilisation: number;
  /** Full scale of the DACs, in activation units. */
  readonly inputMax: number;
  readonly activity: Activity;
  /** Shares of the conversions that were clipped on the test vectors. */
  readonly clippedInputs: number;
  readonly clippedOutputs: number;
}

export interface Inspection {
  readonly arrays: readonly InspectedArray[];
  /** g_max − g_min of the devices, S. */
  readonly rangeSiemens: number;
  readonly cost: NetworkCost;
  /** Costs of the arrays, by name. */
  readonly layerCosts: ReadonlyMap<string, LayerCost>;
  readonly testVectors: number;
  /** Largest difference between the outputs of the chip and the digital ones, over the test vectors. */
  readonly largestDifference: number;
  /** What programming the chip took. */
  readonly programmed: WriteCount;
}

/** Program a model on a chip, run its test vectors at an age, and look at every tile. @throws as `AnalogNetwork` does */
export const inspectModel = (graph: Graph, manifest: Manifest, options: InspectOptions): Inspection => {
  const { device, seed, ageSeconds, compensation, design } = options;
  const { mapping, input, testVectors } = manifest;
  const chip = new AnalogNetwork(graph, { device, seed, mapping, kernel: "simd", ...networkOptionsOf(options) });
  const samples = testVectors.map((vector) => Float32Array.from(vector.input, (code) => code * input.scale));
  const activity = measureActivity(graph, mapping, samples);
  const cost = networkCost(graph, mapping, chip.arrays, activity, design);
  ageAt(chip, device, ageSeconds, options);
  chip.calibrate(compensation);
  const output = new Float32Array(sizeOf(chip.outputShape));
  let largestDifference = 0;
  testVectors.forEach((vector, i) => {
    chip.infer(samples[i]!, output);
    vector.output.forEach((y, o) => {
      largestDifference = Math.max(largestDifference, Math.abs(output[o]! - y));
    });
  });
  const arrays = foldBatchNorm(graph).nodes.flatMap((node) => {
    if (!isWeighted(node)) return [];
    return partsOf(node, rowsOf(node), mapping).flatMap((part): InspectedArray[] => {
      const array = chip.arrays.get(part.name);
      if (array === undefined) return [];
      const products = Math.max(1, testVectors.length) * part.rows * part.runs;
      const tiles = array.tiles.map((_, index) => inspectTile(array, index, products));
      const used = tiles.reduce((sum, tile) => sum + tile.outputs * tile.inputs, 0);
      const { inputs, outputs } = array.saturation;
      return [
        {
          name: part.name,
          node: node.name,
          kind: node.kind,
          outputShape: node.output.shape,
          outputs: part.outputs,
          inputs: part.inputs,
          weights: node.kind === "depthwise" ? part.inputs : part.weights.length,
          tiles,
          utilisation: used / (tiles.length * mapping.tileInputs * mapping.tileOutputs),
          inputMax: mapping.ranges[part.node]!.inputMax,
          activity: activity.get(part.name) ?? evenActivity,
          clippedInputs: inputs / (products * part.inputs),
          clippedOutputs: outputs / (products * tiles.reduce((sum, tile) => sum + tile.outputs, 0)),
        },
      ];
    });
  });
  return {
    arrays,
    rangeSiemens: device.gMaxSiemens - device.gMinSiemens,
    cost,
    layerCosts: new Map(cost.layers.map((layer) => [layer.name, layer])),
    testVectors: testVectors.length,
    largestDifference,
    programmed: chip.programmed,
  };
};

const inspectTile = (array: CrossbarArray, index: number, products: number): InspectedTile => {
  const tile = array.tiles[index]!;
  const targets = tile.targetsOfOutputs();
  const weights = Float32Array.from({ length: targets.length / 2 }, (_, p) => targets[2 * p]! - targets[2 * p + 1]!);
  const siemens = tile.conductancesAt(0);
  const agedSiemens = tile.conductancesAt(array.atSeconds);
  return {
    ...tile.place,
    outputMax: tile.circuit.outputMax,
    clippedOutputs: tile.circuit.clippedOutputs / (products * tile.place.outputs),
    programmed: fitWeights(weights, siemens),
    aged: fitWeights(weights, agedSiemens),
    siemens,
    agedSiemens,
  };
};
