import { networkCost } from "../../models/energy/network-cost.ts";
import { hermesDesign, productEnergy, productSecondsOf, total } from "../../models/energy/tile-cost.ts";
import type { Mapping } from "../../models/manifest.ts";
import type { AnalogNetwork } from "../../models/network/analog.ts";
import { foldBatchNorm } from "../../models/network/fold-batch-norm.ts";
import type { Graph } from "../../models/network/graph.ts";
import { isWeighted, partsOf, rowsOf } from "../../models/network/parts.ts";

/** What something took of a chip: products of single tiles, time of the chip and energy. */
export interface Cost {
  readonly reads: number;
  readonly seconds: number;
  readonly joules: number;
}

export const noCost: Cost = { reads: 0, seconds: 0, joules: 0 };

export const addCosts = (...costs: readonly Cost[]): Cost =>
  costs.reduce((a, b) => ({ reads: a.reads + b.reads, seconds: a.seconds + b.seconds, joules: a.joules + b.joules }));

export const times = (n: number, { reads, seconds, joules }: Cost): Cost => ({
  reads: n * reads,
  seconds: n * seconds,
  joules: n * joules,
});

/** What the parts of upkeep take of a chip, by the model of `models/energy`. */
export interface ChipCosts {
  readonly inference: Cost;
  /** Driving each input of each tile by itself: a calibration. Tiles work at once. */
  readonly oneHot: Cost;
  /** The same of one tile of this many outputs and inputs. */
  response(outputs: number, inputs: number): Cost;
  /** Reading each device of a tile of this many inputs and outputs by itself. */
  device(outputs: number, inputs: number): Cost;
}

/** The costs of a chip of HERMES' design. */
export const chipCosts = (graph: Graph, mapping: Mapping, network: AnalogNetwork): ChipCosts => {
  const design = { ...hermesDesign, dacBits: mapping.dacBits, adcBits: mapping.adcBits };
  const { energyJoules, latencySeconds } = networkCost(graph, mapping, network.arrays, new Map(), design);
  const oneInput = (outputs: number, inputs: number): number => {
    const meanSiemens = 2e-6; // of a device; one input drives 2 · outputs of them, which hardly shows beside converters
    const work = { inputs, outputs, columns: outputs, siemens: 2 * outputs * inputs * meanSiemens };
    return total(productEnergy({ ...work, magnitude: 1 / inputs, square: 1 / inputs }, design));
  };
  const tiles = [...network.arrays.values()].flatMap((array) => array.tiles.map(({ place }) => place));
  const readsOfInference = foldBatchNorm(graph)
    .nodes.filter(isWeighted)
    .flatMap((node) => partsOf(node, rowsOf(node), mapping))
    .reduce((sum, { name, rows, runs }) => sum + rows * runs * (network.arrays.get(name)?.tiles.length ?? 0), 0);
  return {
    inference: { reads: readsOfInference, seconds: latencySeconds, joules: total(energyJoules) },
    oneHot: {
      reads: tiles.reduce((sum, { inputs }) => sum + inputs, 0),
      seconds: Math.max(...tiles.map(({ inputs }) => inputs)) * productSecondsOf(design),
      joules: tiles.reduce((sum, { outputs, inputs }) => sum + inputs * oneInput(outputs, inputs), 0),
    },
    response: (outputs, inputs) => ({
      reads: inputs,
      seconds: inputs * productSecondsOf(design),
      joules: inputs * oneInput(outputs, inputs),
    }),
    // Plus and minus of a pair one after the other.
    device: (outputs, inputs) => ({
      reads: 2 * inputs,
      seconds: 2 * inputs * productSecondsOf(design),
      joules: 2 * inputs * oneInput(outputs, inputs),
    }),
  };
};
