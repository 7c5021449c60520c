import type { Acting, DeviceRoom } from "./acting.ts";
import { addOffsets, checkOffsets, setFactors } from "./calibration.ts";
import { type CircuitImage, expectImage } from "./circuit-image.ts";
import { type Converter, converter } from "./converters.ts";
import type { Arena } from "./kernels/arena.ts";
import { type DacScale, type InputCodes, type MvmKernel, type PackedTile, packedLength } from "./kernels/kernel.ts";
import { readNoiseSigma } from "./kernels/read-noise.ts";
import type { TilePlace } from "./mapping.ts";
import { type Limits, limitsOf, packVariances, packWeights } from "./packing.ts";
import type { TileKey } from "./programming.ts";
import { readEvent, readKeys } from "./read-keys.ts";

/** Room that the tiles of an array share, as only one works at a time. Sized for the largest. */
export interface TileScratch extends DeviceRoom {
  readonly input: InputCodes;
  readonly dacScale: DacScale;
  /** One row each, for calibration reads. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly keys: Int32Array;
}

export interface CircuitSpec extends TileKey {
  readonly dac: Converter;
  readonly adcBits: number;
  readonly kernel: MvmKernel;
  readonly hasReadNoise: boolean;
  /** 1 / β of each output: units of W of one siemens between a plus and a minus device. */
  readonly weightsPerSiemens: Float64Array;
}

/**
 * What a tile multiplies with: the conductances of its outputs as integers, and its converters.
 *
 *   v      = DAC(x)                        [inputs]
 *   i      = (G⁺ − G⁻) v + √(Σ σ² v²) ξ    [outputs]                        each read draws ξ of N(0, 1) anew
 *   y      = α · ADC(i / β) + δ            [outputs]                        δ: digital offsets, 0 unless set
 */
export class TileCircuit {
  readonly place: TilePlace;
  /** How many ADC readings were clipped in products since construction. */
  clippedOutputs = 0;
  /** The drift compensation of each output; after a change, `setAlpha`. */
  readonly alpha: Float64Array;
  /** What is added to each output; to be set by `setOffsets`. */
  readonly offsets: Float32Array;
  #hasOffsets = false;
  readonly #spec: CircuitSpec;
  readonly #scratch: TileScratch;
  readonly #limits: Limits;
  readonly #packed: PackedTile;
  #adc: Converter;
  #calibrationAdc: Converter;
  /** Width of a weight's and of a variance's code, by output. */
  readonly #weightWidths: Float64Array;
  readonly #varianceWidths: Float64Array;

  /** The packed tile is cut from `arena`. The ranges of the ADC are those of `setRanges`, until then 1. */
  constructor(place: TilePlace, spec: CircuitSpec, scratch: TileScratch, arena: Arena) {
    const { outputs, inputs } = place;
    this.place = place;
    this.#spec = spec;
    this.#scratch = scratch;
    this.#limits = limitsOf(spec.dac, inputs);
    this.alpha = new Float64Array(outputs).fill(1);
    this.offsets = new Float32Array(outputs);
    this.#adc = converter("adc", spec.adcBits, 1);
    this.#calibrationAdc = this.#adc;
    this.#weightWidths = new Float64Array(outputs);
    this.#varianceWidths = new Float64Array(outputs);
    this.#packed = {
      outputs,
      inputs,
      weights: arena.int16(packedLength(outputs, inputs)),
      variances: spec.hasReadNoise ? arena.uint8(packedLength(outputs, inputs)) : undefined,
      scales: arena.float32(3 * Math.ceil(outputs / 16) * 16),
      adcMax: (1 << (spec.adcBits - 1)) - 1, // an integer to V8 too: a float would be boxed at each call
    };
  }

  /** Full scale of the ADC, and of the finer range for calibration reads, in units of W·x. */
  get outputMax(): number {
    return this.#adc.max;
  }
  get calibrationMax(): number {
    return this.#calibrationAdc.max;
  }

  /** @throws RangeError unless both are finite and > 0 */
  setRanges(outputMax: number, calibrationMax = this.calibrationMax): void {
    const { adcBits } = this.#spec;
    this.#adc = converter("adc", adcBits, outputMax);
    this.#calibrationAdc = converter("adc", adcBits, calibrationMax);
    this.#setScales(this.#adc);
  }

  /** Give each output a factor of its own, or all the same one. @throws RangeError unless all are finite and ≥ 0 */
  setAlpha(alpha: number | ArrayLike<number>): void {
    setFactors(this.alpha, alpha);
    this.#setScales(this.#adc);
  }

  /** Add a number to each output from now on. @throws RangeError unless all are finite */
  setOffsets(offsets: ArrayLike<number>): void {
    checkOffsets(offsets, this.offsets.length);
    this.offsets.set(offsets);
    this.#hasOffsets = this.offsets.some((offset) => offset !== 0);
  }

  /** Take over what the tile multiplies by. */
  pack(acting: Acting): void {
    const { weightsPerSiemens } = this.#spec;
    const { inputs, weights, variances } = this.#packed;
    packWeights(acting.siemens, inputs, weightsPerSiemens, this.#limits.weight, weights, this.#weightWidths);
    if (variances) {
      const squares = acting.squareSiemens();
      packVariances(squares, inputs, weightsPerSiemens, this.#limits.variance, variances, this.#varianceWidths);
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
    if (this.#hasOffsets) addOffsets(y, from, stride, batch, this.offsets);
  }

  /** As `mvm`, each output with inputs of its own: `MvmKernel.depthwise`. */
  mvmWindows(input: InputCodes, places: Int32Array, y: Float32Array, batch: number, inference: number): void {
    const { kernel, seed, arrayId, index } = this.#spec;
    const { keys } = this.#scratch;
    if (this.#packed.variances) readKeys(seed, arrayId, index, inference, readEvent.inference, keys);
    this.clippedOutputs += kernel.depthwise(this.#packed, input, places, y, batch, keys);
    if (this.#hasOffsets) addOffsets(y, 0, this.offsets.length, batch, this.offsets);
  }

  /** What products are made of now. A copy. */
  image(): CircuitImage {
    const { weights, variances, scales } = this.#packed;
    const offsets = this.offsets.slice();
    return { kind: "packed", weights: weights.slice(), variances: variances?.slice(), scales: scales.slice(), offsets };
  }

  /** Multiply with an image from now on, until the tile is packed or calibrated anew. @throws RangeError where it does not fit */
  show(image: CircuitImage): void {
    const packed = this.#packed;
    const sizes = [packed.weights.length, packed.variances?.length];
    const shown = expectImage(image, "packed", (is) => [is.weights.length, is.variances?.length], sizes);
    packed.weights.set(shown.weights);
    if (shown.variances) packed.variances?.set(shown.variances);
    packed.scales.set(shown.scales);
    this.setOffsets(shown.offsets);
  }

  /** Drive one input after the other at full scale, and look at the outputs through the range of calibration reads. */
  readOneHot(moment: number, event: number, look: (input: number, y: Float32Array) => void): void {
    const { kernel, dac, seed, arrayId, index } = this.#spec;
    const { input, dacScale, x, y, keys } = this.#scratch;
    const { outputs, inputs } = this.#packed;
    const before = this.alpha.slice();
    this.alpha.fill(1);
    this.#setScales(this.#calibrationAdc);
    x.fill(0);
    for (let i = 0; i < inputs; i++) {
      x[i] = dac.max;
      kernel.quantise(x, 0, inputs, inputs, 1, dacScale, input);
      readKeys(seed, arrayId, index, moment, event + i, keys);
      kernel.multiply(this.#packed, input, y, 0, outputs, 1, 0, keys);
      look(i, y.subarray(0, outputs));
      x[i] = 0;
    }
    this.alpha.set(before);
    this.#setScales(this.#adc);
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
        (Math.sqrt(this.#varianceWidths[o]! * 2 ** this.#limits.squareShift) * inputWidth * codesPerUnit) /
        readNoiseSigma;
      scales[2 * rowLength + o] = this.alpha[o]! / codesPerUnit;
    }
  }
}
