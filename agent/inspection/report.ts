import type { WriteCount } from "../../models/crossbar/programming.ts";
import { components } from "../../models/energy/components.ts";
import type { Energy } from "../../models/energy/tile-cost.ts";
import { type ChipDesign, total } from "../../models/energy/tile-cost.ts";
import type { Manifest } from "../../models/manifest.ts";
import type { ChipHardware } from "../chip-hardware.ts";
import { type Comparison, compare } from "./comparison.ts";
import type { InspectedArray, InspectedTile, Inspection } from "./inspect-model.ts";
import { verdict } from "./verdict.ts";

export interface ReportChip extends ChipHardware {
  readonly device: string;
  readonly seed: number;
  /** As typed: `1d`. */
  readonly age: string;
  readonly compensation: string;
}

/** What `inspect` says: SI units but where a name says otherwise. Shares are parts of one. */
export interface Report {
  readonly model: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly chip: ReportChip;
  readonly mapping: Omit<Manifest["mapping"], "ranges">;
  readonly tiles: number;
  readonly layers: readonly ReportLayer[];
  readonly testVectors: number;
  readonly largestDifference: number;
  /** What programming the chip took: devices, pulses, those left outside the band, seconds, joules. */
  readonly programmed: WriteCount;
  readonly totals: {
    readonly weights: number;
    readonly multiplyAccumulates: number;
    readonly energyJoules: Energy;
    readonly latencySeconds: number;
    readonly areaSquareMetres: number;
    readonly operationsPerJoule: number;
  };
  /** How the chip reads, in words. */
  readonly design: string;
  readonly comparison: Comparison;
  readonly verdict: readonly string[];
  /** The table of components that the costs are made from. */
  readonly components: typeof components;
}

export interface ReportLayer {
  readonly name: string;
  readonly kind: InspectedArray["kind"];
  readonly outputShape: readonly number[];
  readonly outputs: number;
  readonly inputs: number;
  readonly weights: number;
  readonly tiles: readonly {
    readonly outputs: number;
    readonly inputs: number;
    readonly outputMax: number;
    readonly clippedOutputs: number;
  }[];
  readonly utilisation: number;
  readonly inputMax: number;
  readonly meanInput: number;
  readonly clippedInputs: number;
  readonly clippedOutputs: number;
  readonly programmingErrorMicrosiemens: number;
  /** As a part of g_max − g_min. */
  readonly programmingErrorOfRange: number;
  /** As if the drift of the tile's scale were made up for: µS when programmed. */
  readonly agedErrorMicrosiemens: number;
  /** Mean factor by which the pairs have changed since they were programmed. */
  readonly agedScale: number;
  readonly energyJoules: number;
  readonly latencySeconds: number;
  readonly areaSquareMetres: number;
}

/** Put an inspection into words and numbers for `inspect`. */
export const reportOf = (
  manifest: Manifest,
  sha256: string,
  inspection: Inspection,
  chip: ReportChip,
  design: ChipDesign,
): Report => {
  const { arrays, cost, testVectors, largestDifference, programmed } = inspection;
  const { ranges: _, ...mapping } = manifest.mapping;
  const comparison = compare(cost, manifest);
  const { multiplyAccumulates, energyJoules, latencySeconds, areaSquareMetres, operationsPerJoule } = cost;
  return {
    model: { name: manifest.name, version: manifest.version, sha256 },
    chip,
    mapping,
    tiles: arrays.reduce((sum, array) => sum + array.tiles.length, 0),
    layers: arrays.map((array) => layerOf(array, inspection)),
    testVectors,
    largestDifference,
    programmed,
    totals: {
      weights: arrays.reduce((sum, array) => sum + array.weights, 0),
      ...{ multiplyAccumulates, energyJoules, latencySeconds, areaSquareMetres, operationsPerJoule },
    },
    design: designText(design),
    comparison,
    verdict: verdict(comparison),
    components,
  };
};

const layerOf = (array: InspectedArray, { layerCosts, rangeSiemens }: Inspection): ReportLayer => {
  const { name, kind, outputShape, outputs, inputs, weights, tiles, utilisation, inputMax } = array;
  const { clippedInputs, clippedOutputs, activity } = array;
  const cost = layerCosts.get(array.name)!;
  const sizes = tiles.map((tile) => tile.outputs * tile.inputs);
  const scaleOf = ({ aged, programmed }: InspectedTile) =>
    aged.siemensPerWeight / (programmed.siemensPerWeight || 1) || 1;
  const rms = (of: (tile: InspectedTile) => number) =>
    1e6 *
    Math.sqrt(
      mean(
        tiles.map((tile) => of(tile) ** 2),
        sizes,
      ),
    );
  return {
    ...{ name, kind, outputShape, outputs, inputs, weights, utilisation, inputMax, clippedInputs, clippedOutputs },
    tiles: tiles.map((tile) => ({
      outputs: tile.outputs,
      inputs: tile.inputs,
      outputMax: tile.outputMax,
      clippedOutputs: tile.clippedOutputs,
    })),
    meanInput: activity.magnitude,
    programmingErrorMicrosiemens: rms(({ programmed }) => programmed.rmsSiemens),
    programmingErrorOfRange: rms(({ programmed }) => programmed.rmsSiemens) * (1e-6 / rangeSiemens),
    agedErrorMicrosiemens: rms((tile) => tile.aged.rmsSiemens / scaleOf(tile)),
    agedScale: mean(tiles.map(scaleOf), sizes),
    energyJoules: total(cost.energyJoules),
    latencySeconds: cost.latencySeconds,
    areaSquareMetres: cost.areaSquareMetres,
  };
};

const mean = (values: readonly number[], weights: readonly number[]): number =>
  values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / weights.reduce((sum, w) => sum + w, 0);

const designText = ({ inputs, adc, columnsPerAdc, phases, nodeNanometres }: ChipDesign): string =>
  `${inputs} inputs, ${adc === "sar" ? `a SAR converter for ${columnsPerAdc} columns` : "an oscillator converter a column"}, ${phases === 1 ? "one phase" : `${phases} phases`} a read, ${nodeNanometres} nm`;
