import type { Converter } from "./converters.ts";
import type { DeviceModel } from "./devices/device.ts";
import type { Convention } from "./levels.ts";
import type { CellsShape } from "./mapping.ts";
import type { TileKey } from "./programming.ts";
import { nonlinearTile, type TileSolver } from "./wires/nonlinear-tile.ts";
import type { PairWires } from "./wires/pair-wires.ts";

/** How a tile is read where the plain way, in integers, does not do. */
export interface DetailedReading {
  readonly convention: Convention;
  /** Lowest level of plain converters, as a part of the highest, −1 … 0. */
  readonly dacLow: number;
  readonly adcLow: number;
  /** Inputs as digits of so many bits, one read and conversion after the other, summed digitally. */
  readonly inputSliceBits: number | undefined;
  /** Most current of a bit line, of devices of g_max at full input. */
  readonly columnClip: number | undefined;
  /** Spread of what an ADC adds, as a part of its full scale. */
  readonly outputNoise: number;
  /** Each row of inputs is divided by its largest before the DAC, and y multiplied. */
  readonly scaleInputs: boolean;
  /** A row of which an output was clipped is read again with inputs of half the size. */
  readonly retryClipped: boolean;
  readonly inputs: "amplitude" | "pulse-width";
  /** Full scale of the DACs, V, which the curves of devices are read at; undefined: so low that they are linear. */
  readonly readVolts: number | undefined;
}

export interface DetailedSpec extends TileKey {
  readonly reading: DetailedReading;
  readonly inputMax: number;
  readonly dacBits: number;
  readonly adcBits: number;
  readonly gMaxSiemens: number;
  readonly hasReadNoise: boolean;
  /** Of each output. */
  readonly weightsPerSiemens: Float64Array;
  /** Full scale of the ADC for digits of inputs. */
  readonly sliceMax: number;
  /** Makes a solver from the conductances of all devices, for curves behind wires; undefined: sums of `Acting`. */
  readonly solverOf: ((allSiemens: Float32Array) => TileSolver) | undefined;
}

/** The spec of a tile's circuit. @param weights [outputs × inputs] that the tile holds */
export const detailedSpec = (
  tile: TileKey & {
    readonly device: DeviceModel;
    readonly dac: Converter;
    readonly adcBits: number;
    readonly hasReadNoise: boolean;
    readonly weightsPerSiemens: Float64Array;
    readonly wires: PairWires | undefined;
    readonly shape: CellsShape;
  },
  reading: DetailedReading,
  columns: Int32Array,
  weights: Float32Array,
): DetailedSpec => {
  const { device, dac, wires, shape } = tile;
  const { readVolts, inputSliceBits = 1 } = reading;
  return {
    ...{ seed: tile.seed, arrayId: tile.arrayId, index: tile.index, reading },
    ...{ inputMax: dac.max, dacBits: dac.bits, adcBits: tile.adcBits, gMaxSiemens: device.gMaxSiemens },
    ...{ hasReadNoise: tile.hasReadNoise, weightsPerSiemens: tile.weightsPerSiemens },
    sliceMax: digitRange(weights, tile.weightsPerSiemens.length, inputSliceBits) * dac.max,
    solverOf:
      wires && readVolts !== undefined
        ? (siemens) => nonlinearTile(siemens, shape, columns, device, wires, readVolts)
        : undefined,
  };
};

/**
 * Full scale for sums of digits, which are as good as random whatever the inputs are: the mean of digits of one sign and
 * four of their standard deviations, but no more than the largest sum there can be. For inputs of 1.
 */
const digitRange = (weights: Float32Array, outputs: number, digitBits: number): number => {
  const inputs = weights.length / outputs;
  const most = 2 ** digitBits - 1;
  const meanSquare = (2 * most + 1) / (6 * most); // of k / most, k = 0 … most
  let range = 0;
  for (let o = 0; o < outputs; o++) {
    let [sum, largest, squares] = [0, 0, 0];
    for (const w of weights.subarray(o * inputs, (o + 1) * inputs)) {
      sum += w;
      largest += Math.abs(w);
      squares += w * w;
    }
    range = Math.max(range, Math.min(largest, Math.abs(sum) / 2 + 4 * Math.sqrt(squares * meanSquare)));
  }
  return range || 1;
};
