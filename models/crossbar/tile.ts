import { CounterRandom } from "../random.ts";
import type { CalibrationMode } from "./calibration.ts";
import { driftCompensation } from "./calibration.ts";
import { type Converter, converter } from "./converters.ts";
import { type DeviceModel, emptyCells, type ProgrammedCells } from "./devices/device.ts";
import { applyFaults, type FaultMap } from "./faults.ts";
import type { Arena } from "./kernels/arena.ts";
import { type DacScale, type InputCodes, type MvmKernel, type PackedTile, packedLength } from "./kernels/kernel.ts";
import type { TilePlace } from "./mapping.ts";
import { type Limits, limitsOf, packVariances, packWeights } from "./packing.ts";
import { readEvent, readKeys } from "./read-keys.ts";
import { type PairWires, throughWires } from "./wires/pair-wires.ts";

export interface TileSpec {
  readonly device: DeviceModel;
  readonly dac: Converter;
  readonly adcBits: number;
  /** Full scale of the ADC, in units of W·x; undefined: the largest sum that the programmed tile can give. */
  readonly outputMax: number | undefined;
  readonly seed: number;
  readonly arrayId: number;
  /** Number of the tile in its array. */
  readonly index: number;
  readonly kernel: MvmKernel;
  /** undefined: none. Checked. */
  readonly faults: FaultMap | undefined;
  /** undefined: wires without resistance. */
  readonly wires: PairWires | undefined;
}

/** Room that the tiles of an array share, as only one works at a time. Sized for the largest. */
export interface TileScratch {
  readonly siemens: Float32Array;
  readonly squareSiemens: Float32Array;
  /** What the wires leave of each device; empty without wires. */
  readonly ratios: Float32Array;
  readonly input: InputCodes;
  readonly dacScale: DacScale;
  /** One row each, for calibration reads. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly keys: Int32Array;
}

/**
 * A tile: one crossbar with its converters. It holds a weight matrix [outputs × inputs] and multiplies by it.
 *
 *   G⁺, G⁻ = g_min + β · max(±W, 0)        β = (g_max − g_min) / max|W|     differential pairs
 *   v      = DAC(x)                        [inputs]
 *   i      = (G⁺ − G⁻) v + √(Σ σ² v²) ξ    [outputs]                        each read draws ξ of N(0, 1) anew
 *   y      = α · ADC(i / β)                [outputs]
 *
 * With resistive wires G is what the devices act as through them (`wires/`), made once for each age; σ is scaled by the
 * same ratio, that is, noise is taken at the voltages that the devices have without it.
 * σ² is the sum of both devices' read variances, so that i has the distribution that noise in every single device
 * gives. α is the drift compensation: 1 when programmed, raised by calibration as the cells drift.
 * The full scale of the ADC stays where it was when programmed: a drifted tile uses less of it.
 */
export class Tile {
  readonly place: TilePlace;
  /** Full scale of the ADC, in units of W·x. */
  readonly outputMax: number;
  /** How many ADC readings were clipped in `mvm` since construction. */
  clippedOutputs = 0;
  /** The drift compensation of each output. */
  readonly alpha: Float64Array;
  readonly #spec: TileSpec;
  readonly #scratch: TileScratch;
  readonly #cells: ProgrammedCells;
  readonly #weightsPerSiemens: number;
  readonly #limits: Limits;
  readonly #packed: PackedTile;
  readonly #adc: Converter;
  readonly #calibrationAdc: Converter;
  /** Width of a weight's and of a variance's code, by output. */
  readonly #weightWidths: Float64Array;
  readonly #varianceWidths: Float64Array;
  #ageSeconds = Number.NaN;
  /** Mean |y| of each output for one-hot inputs, when programmed. */
  readonly #programmedResponse: Float64Array;

  /** Program `weights` [outputs × inputs], finite. The packed state is cut from `arena`; the tile is left at age zero. */
  constructor(weights: Float32Array, place: TilePlace, spec: TileSpec, scratch: TileScratch, arena: Arena) {
    const { device, dac } = spec;
    const { outputs, inputs } = place;
    this.place = place;
    this.#spec = spec;
    this.#scratch = scratch;
    const largest = weights.reduce((max, w) => Math.max(max, Math.abs(w)), 0) || 1;
    this.#weightsPerSiemens = largest / (device.gMaxSiemens - device.gMinSiemens);
    this.#cells = program(weights, this.#weightsPerSiemens, spec);
    this.#limits = limitsOf(dac, inputs);
    this.alpha = new Float64Array(outputs).fill(1);
    this.#weightWidths = new Float64Array(outputs);
    this.#varianceWidths = new Float64Array(outputs);
    this.#packed = {
      outputs,
      inputs,
      weights: arena.int16(packedLength(outputs, inputs)),
      variances: device.hasReadNoise ? arena.uint8(packedLength(outputs, inputs)) : undefined,
      scales: arena.float32(3 * Math.ceil(outputs / 16) * 16),
      adcMax: (1 << (spec.adcBits - 1)) - 1, // an integer to V8 too: a float would be boxed at each call
    };
    const siemens = this.#effective(0);
    this.outputMax = spec.outputMax ?? this.#largestSum(siemens) * dac.max;
    this.#adc = converter("adc", spec.adcBits, this.outputMax);
    // One device conducts far less than a whole output: calibration reads switch the ADC to a range that fits.
    this.#calibrationAdc = converter("adc", spec.adcBits, 1.25 * this.#largestWeight(siemens) * dac.max);
    this.#pack(siemens, 0);
    this.#programmedResponse = this.#response();
  }

  /** Bring the conductances to an age: a function of what was programmed and of the age, whatever came between. */
  ageTo(ageSeconds: number): void {
    if (ageSeconds !== this.#ageSeconds) this.#pack(this.#effective(ageSeconds), ageSeconds);
  }

  #pack(siemens: Float32Array, ageSeconds: number): void {
    this.#ageSeconds = ageSeconds;
    const { device, faults, wires } = this.#spec;
    const { inputs, weights, variances } = this.#packed;
    packWeights(siemens, inputs, this.#weightsPerSiemens, this.#limits.weight, weights, this.#weightWidths);
    if (variances) {
      const squares = this.#scratch.squareSiemens.subarray(0, siemens.length);
      device.readVariances(this.#cells, ageSeconds, squares);
      if (faults) applyFaults(squares, faults, inputs, 0, 0);
      const { ratios } = this.#scratch;
      if (wires) for (let d = 0; d < squares.length; d++) squares[d] = squares[d]! * ratios[d]! ** 2;
      packVariances(squares, inputs, this.#weightsPerSiemens, this.#limits.variance, variances, this.#varianceWidths);
    }
    this.#setScales(this.#adc);
  }

  /** Set α from the responses to one-hot inputs, when programmed and now. The reads are repeatable, keyed by the age. */
  calibrate(mode: CalibrationMode): void {
    this.alpha.fill(1);
    if (mode !== "none") {
      const floor = 1e-4 * this.#calibrationAdc.max;
      driftCompensation(mode, this.#programmedResponse, this.#response(), floor, this.alpha);
    }
    this.#setScales(this.#adc);
  }

  /** `y (+)= tile · x` for rows of DAC codes: the first output stands at `y[from]`, rows are `stride` apart. */
  mvm(
    input: InputCodes,
    y: Float32Array,
    from: number,
    stride: number,
    batch: number,
    accumulate: 0 | 1,
    inference: number,
  ): void {
    const { kernel, seed, arrayId, index } = this.#spec;
    const { keys } = this.#scratch;
    if (this.#packed.variances) readKeys(seed, arrayId, index, inference, readEvent.inference, keys);
    this.clippedOutputs += kernel.multiply(this.#packed, input, y, from, stride, batch, accumulate, keys);
  }

  /** As `mvm`, each output with inputs of its own: `MvmKernel.depthwise`. */
  mvmWindows(input: InputCodes, places: Int32Array, y: Float32Array, batch: number, inference: number): void {
    const { kernel, seed, arrayId, index } = this.#spec;
    const { keys } = this.#scratch;
    if (this.#packed.variances) readKeys(seed, arrayId, index, inference, readEvent.inference, keys);
    this.clippedOutputs += kernel.depthwise(this.#packed, input, places, y, batch, keys);
  }

  /** Conductances at an age, S: plus and minus of each pair in turn, [outputs × inputs × 2]. A copy. */
  conductancesAt(ageSeconds: number): Float32Array {
    return this.#conductances(ageSeconds).slice();
  }

  /** Variance of one read of each device at an age, S², in the order of `conductancesAt`. A copy. */
  readVariancesAt(ageSeconds: number): Float32Array {
    const squares = new Float32Array(this.#cells.g0Siemens.length);
    if (this.#spec.device.hasReadNoise) this.#spec.device.readVariances(this.#cells, ageSeconds, squares);
    return squares;
  }

  #conductances(ageSeconds: number): Float32Array {
    const siemens = this.#scratch.siemens.subarray(0, this.#cells.g0Siemens.length);
    const { device, faults } = this.#spec;
    device.conductances(this.#cells, ageSeconds, siemens);
    if (faults) applyFaults(siemens, faults, this.place.inputs, device.gMinSiemens, device.gMaxSiemens);
    return siemens;
  }

  /** Conductances as they act through the wires; what is left of each goes to the scratch. */
  #effective(ageSeconds: number): Float32Array {
    const siemens = this.#conductances(ageSeconds);
    const { wires } = this.#spec;
    const { outputs, inputs } = this.place;
    if (wires) throughWires(siemens, outputs, inputs, wires, this.#scratch.ratios);
    return siemens;
  }

  #setScales(adc: Converter): void {
    const { dac } = this.#spec;
    const { scales } = this.#packed;
    const rowLength = scales.length / 3;
    const inputWidth = dac.max / dac.codeMax;
    const codesPerUnit = adc.codeMax / adc.max;
    for (let o = 0; o < this.alpha.length; o++) {
      scales[o] = this.#weightWidths[o]! * inputWidth * codesPerUnit;
      scales[rowLength + o] =
        Math.sqrt(this.#varianceWidths[o]! * 2 ** this.#limits.squareShift) * inputWidth * codesPerUnit;
      scales[2 * rowLength + o] = this.alpha[o]! / codesPerUnit;
    }
  }

  /** Mean |y| of each output over one-hot inputs at full scale, through DAC, read noise and ADC; α is left out. */
  #response(): Float64Array {
    const { kernel, dac, seed, arrayId, index } = this.#spec;
    const { input, dacScale, x, y, keys } = this.#scratch;
    const { outputs, inputs } = this.place;
    const alpha = this.alpha.slice();
    this.alpha.fill(1);
    this.#setScales(this.#calibrationAdc);
    const sums = new Float64Array(outputs);
    x.fill(0);
    for (let i = 0; i < inputs; i++) {
      x[i] = dac.max;
      kernel.quantise(x, 0, inputs, inputs, 1, dacScale, input);
      readKeys(seed, arrayId, index, Math.round(this.#ageSeconds * 1000), readEvent.calibration + i, keys);
      kernel.multiply(this.#packed, input, y, 0, outputs, 1, 0, keys);
      for (let o = 0; o < outputs; o++) sums[o]! += Math.abs(y[o]!) / inputs;
      x[i] = 0;
    }
    this.alpha.set(alpha);
    this.#setScales(this.#adc);
    return sums;
  }

  #largestSum(siemens: Float32Array): number {
    const { outputs, inputs } = this.place;
    let largest = 0;
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let p = o * inputs; p < (o + 1) * inputs; p++) sum += Math.abs(siemens[2 * p]! - siemens[2 * p + 1]!);
      largest = Math.max(largest, sum);
    }
    return largest * this.#weightsPerSiemens || 1; // a tile of zeros may have any range
  }

  #largestWeight(siemens: Float32Array): number {
    let largest = 0;
    for (let p = 0; p < siemens.length; p += 2) largest = Math.max(largest, Math.abs(siemens[p]! - siemens[p + 1]!));
    return largest * this.#weightsPerSiemens || 1;
  }
}

/** Write weights into fresh pairs: the first event of each device of the tile. */
const program = (weights: Float32Array, weightsPerSiemens: number, spec: TileSpec): ProgrammedCells => {
  const { device, seed, arrayId, index } = spec;
  const targets = new Float32Array(2 * weights.length);
  for (let p = 0; p < weights.length; p++) {
    targets[2 * p] = device.gMinSiemens + Math.max(weights[p]!, 0) / weightsPerSiemens;
    targets[2 * p + 1] = device.gMinSiemens + Math.max(-weights[p]!, 0) / weightsPerSiemens;
  }
  const cells = emptyCells(targets.length);
  device.program(targets, new CounterRandom(seed, [arrayId, index, 0]), cells);
  return cells;
};
