import type { Acting } from "./acting.ts";
import { addOffsets, checkOffsets, setFactors } from "./calibration.ts";
import { type CircuitImage, type DetailedImage, expectImage } from "./circuit-image.ts";
import type { DetailedSpec } from "./detailed-spec.ts";
import { readNoise16, readNoiseSigma } from "./kernels/read-noise.ts";
import { type Levels, levelsOf } from "./levels.ts";
import type { TilePlace } from "./mapping.ts";
import { readEvent, readKeys } from "./read-keys.ts";
import type { TileSolver } from "./wires/nonlinear-tile.ts";

/** Reads of one row at most: inputs are halved nine times. */
const mostReads = 10;

/**
 * A tile read bit line by bit line in Float64: slower than `TileCircuit`, by fifty times and more, but with every
 * way to drive and convert, and with devices that are not linear.
 *
 *   v   = DAC(x / s)                            s = 1, or max|x| / inputMax, times 2^retries
 *   i±  = clip(Σ G± v + G₂± v² + G₃± v³)         amplitudes; pulses: Σ (G± v + G₂± |v| + G₃± v)
 *   y   = α s Σ_digits place · ADC((i⁺ − i⁻ + √(Σ σ² v²) ξ) / β + σ_out ξ')
 */
export class DetailedCircuit {
  clippedInputs = 0;
  /** How many ADC readings were clipped in products since construction. */
  clippedOutputs = 0;
  /** The drift compensation of each output; after a change, `setAlpha`. */
  readonly alpha: Float64Array;
  /** What is added to each output; to be set by `setOffsets`. */
  readonly offsets: Float32Array;
  outputMax = 1;
  calibrationMax = 1;
  readonly place: TilePlace;
  readonly #spec: DetailedSpec;
  readonly #dac: Levels;
  readonly #adc: Levels;
  readonly #calibrationAdc: Levels;
  /** [outputs × inputs × 2] of V, V² and V³, in S of full scale; the latter are empty for linear devices. */
  #terms: readonly Float64Array[] = [];
  #squares = new Float32Array();
  #allSiemens: Float32Array | undefined;
  #solve: TileSolver | undefined;
  readonly #keys = new Int32Array(2);
  readonly #noise = new Int16Array(16);
  readonly #parts: Float64Array;
  readonly #digits: Float64Array;
  readonly #sums: Float64Array;

  constructor(place: TilePlace, spec: DetailedSpec) {
    const { reading, dacBits, adcBits } = spec;
    this.place = place;
    this.#spec = spec;
    this.alpha = new Float64Array(place.outputs).fill(1);
    this.offsets = new Float32Array(place.outputs);
    this.#dac = levelsOf(reading.convention, dacBits, reading.dacLow);
    this.#adc = levelsOf(reading.convention, adcBits, reading.adcLow);
    this.#calibrationAdc = levelsOf(reading.convention, adcBits, -1);
    this.#parts = new Float64Array(place.inputs);
    this.#digits = new Float64Array(place.inputs);
    this.#sums = new Float64Array(place.outputs);
  }

  setRanges(outputMax: number, calibrationMax = this.calibrationMax): void {
    for (const max of [outputMax, calibrationMax]) {
      if (!(max > 0 && max < Infinity)) throw new RangeError(`outputMax: expected a finite number > 0, got ${max}`);
    }
    [this.outputMax, this.calibrationMax] = [outputMax, calibrationMax];
  }

  /** Take over what the tile multiplies by. */
  pack(acting: Acting): void {
    const { readVolts } = this.#spec.reading;
    const curves = readVolts === undefined || this.#spec.solverOf ? [] : acting.curvature();
    this.#terms = [acting.siemens, ...curves].map((term, k) =>
      Float64Array.from(term, (c) => c * (readVolts ?? 1) ** k),
    );
    this.#squares = this.#spec.hasReadNoise ? acting.squareSiemens().slice() : new Float32Array();
    this.#allSiemens = this.#spec.solverOf && acting.allSiemens();
    this.#makeSolver();
  }

  #makeSolver(): void {
    this.#solve = this.#allSiemens && this.#spec.solverOf?.(this.#allSiemens);
  }

  /** What products are made of now. A copy. */
  image(): CircuitImage {
    const [terms, squares] = [this.#terms.map((term) => term.slice()), this.#squares.slice()];
    const { outputMax } = this;
    const [alpha, offsets] = [this.alpha.slice(), this.offsets.slice()];
    return { kind: "detailed", terms, squares, allSiemens: this.#allSiemens?.slice(), alpha, offsets, outputMax };
  }

  /** Multiply with an image from now on, until the tile is packed or calibrated anew. @throws RangeError where it does not fit */
  show(image: CircuitImage): void {
    const sizes = [this.#terms.length, this.#terms[0]?.length, this.#squares.length, this.alpha.length];
    const sizesOf = ({ terms, squares, alpha }: DetailedImage) => [
      terms.length,
      terms[0]?.length,
      squares.length,
      alpha.length,
    ];
    const shown = expectImage(image, "detailed", sizesOf, sizes);
    this.#terms = shown.terms.map((term) => term.slice());
    this.#squares = shown.squares.slice();
    this.#allSiemens = shown.allSiemens?.slice();
    this.#makeSolver();
    this.setAlpha(shown.alpha);
    this.setOffsets(shown.offsets);
    this.setRanges(shown.outputMax);
  }

  /** As `TileCircuit.mvm`, of x itself: its first input stands at `x[xFrom]`, rows are `xStride` apart. */
  mvm(
    x: Float32Array,
    xFrom: number,
    xStride: number,
    y: Float32Array,
    from: number,
    stride: number,
    batch: number,
    accumulate: 0 | 1,
    inference: number,
  ): void {
    const { inputs, outputs } = this.place;
    const { reading, inputMax } = this.#spec;
    for (let row = 0; row < batch; row++) {
      const at = xFrom + row * xStride;
      let scale = 1;
      if (reading.scaleInputs) {
        let largest = 0;
        for (let i = 0; i < inputs; i++) largest = Math.max(largest, Math.abs(x[at + i]!));
        scale = largest / inputMax || 1;
      }
      for (let read = 0; read < mostReads; read++) {
        for (let i = 0; i < inputs; i++) {
          const part = x[at + i]! / (inputMax * scale);
          if (this.#dac.isClipped(part)) this.clippedInputs++;
          this.#parts[i] = this.#dac.levelOf(part);
        }
        const clipped = this.#readDigits(row, read, inference);
        if (!(reading.retryClipped && clipped > 0 && read < mostReads - 1)) {
          this.clippedOutputs += clipped;
          break;
        }
        scale *= 2;
      }
      for (let o = 0; o < outputs; o++) {
        const value = this.alpha[o]! * scale * this.#sums[o]!;
        y[from + row * stride + o] = accumulate ? y[from + row * stride + o]! + value : value;
      }
    }
    addOffsets(y, from, stride, batch, this.offsets);
  }

  /** Drive one input after the other at full scale, and look at the outputs through the range of calibration reads. */
  readOneHot(moment: number, event: number, look: (input: number, y: Float32Array) => void): void {
    const { outputs, inputs } = this.place;
    const y = new Float32Array(outputs);
    this.#parts.fill(0);
    for (let i = 0; i < inputs; i++) {
      this.#parts[i] = 1;
      this.#sums.fill(0);
      this.#setKeys(moment, event + i);
      this.#read(this.#parts, 0, this.#calibrationAdc, this.calibrationMax, 1);
      y.set(this.#sums);
      look(i, y);
      this.#parts[i] = 0;
    }
  }

  /** Give each output a factor of its own, or all the same one. @throws RangeError unless all are finite and ≥ 0 */
  setAlpha(alpha: number | ArrayLike<number>): void {
    setFactors(this.alpha, alpha);
  }

  /** Add a number to each output from now on. @throws RangeError unless all are finite */
  setOffsets(offsets: ArrayLike<number>): void {
    checkOffsets(offsets, this.offsets.length);
    this.offsets.set(offsets);
  }

  /** y / (α s) of the present inputs into the sums. Gives how many conversions were clipped. */
  #readDigits(row: number, read: number, inference: number): number {
    const { inputSliceBits } = this.#spec.reading;
    this.#sums.fill(0);
    if (inputSliceBits === undefined) {
      this.#setKeys(inference, readEvent.inference - 32 * read);
      return this.#read(this.#parts, row, this.#adc, this.outputMax, 1);
    }
    const { codeMax } = this.#dac;
    const base = 2 ** inputSliceBits;
    let clipped = 0;
    for (let [slice, place] = [0, 1]; place <= codeMax; slice++, place *= base) {
      for (let i = 0; i < this.#parts.length; i++) {
        const part = this.#parts[i]!;
        const digit = Math.floor(Math.round(Math.abs(part) * codeMax) / place) % base;
        this.#digits[i] = (Math.sign(part) * digit) / (base - 1);
      }
      this.#setKeys(inference, readEvent.inference - 32 * read - slice);
      clipped += this.#read(this.#digits, row, this.#adc, this.#spec.sliceMax, (place * (base - 1)) / codeMax);
    }
    return clipped;
  }

  /** Add one reading of inputs, as parts of full scale, times a factor to the sums. */
  #read(parts: Float64Array, row: number, adc: Levels, adcMax: number, factor: number): number {
    const { outputs, inputs } = this.place;
    const { reading, gMaxSiemens, weightsPerSiemens, inputMax } = this.#spec;
    const most = (reading.columnClip ?? Infinity) * gMaxSiemens;
    const solved = this.#solve?.(parts);
    let clipped = 0;
    for (let o = 0; o < outputs; o++) {
      if (o % 16 === 0) {
        readNoise16(this.#noise, 0, row * Math.ceil(outputs / 16) + (o >> 4), this.#keys[0]!, this.#keys[1]!);
      }
      const plus = solved ? solved[2 * o]! : this.#current(2 * o * inputs, parts);
      const minus = solved ? solved[2 * o + 1]! : this.#current(2 * o * inputs + 1, parts);
      const siemens = Math.max(-most, Math.min(most, plus)) - Math.max(-most, Math.min(most, minus));
      // Noise of devices and of the converter, independent: one Gaussian number for both.
      const perSiemens = (weightsPerSiemens[o]! * inputMax) / adcMax;
      const ofDevices = this.#squares.length > 0 ? this.#variance(2 * o * inputs, parts) * perSiemens ** 2 : 0;
      const noise = Math.sqrt(ofDevices + reading.outputNoise ** 2) * (this.#noise[o % 16]! / readNoiseSigma);
      const part = siemens * perSiemens + noise;
      if (adc.isClipped(part)) clipped++;
      this.#sums[o] = this.#sums[o]! + factor * adcMax * adc.levelOf(part);
    }
    return clipped;
  }

  /** Of one bit line, S of full scale: devices from `device` on, every second one. */
  #current(device: number, parts: Float64Array): number {
    const [linear, square, cube] = this.#terms;
    const isPulse = this.#spec.reading.inputs === "pulse-width";
    let sum = 0;
    for (let i = 0; i < parts.length; i++) {
      const v = parts[i]!;
      const d = device + 2 * i;
      sum += linear![d]! * v;
      if (square && cube)
        sum += isPulse ? square[d]! * Math.abs(v) + cube[d]! * v : (square[d]! + cube[d]! * v) * v * v;
    }
    return sum;
  }

  #variance(device: number, parts: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < parts.length; i++) {
      sum += (this.#squares[device + 2 * i]! + this.#squares[device + 2 * i + 1]!) * parts[i]! ** 2;
    }
    return sum;
  }

  #setKeys(number: number, event: number): void {
    const { seed, arrayId, index } = this.#spec;
    readKeys(seed, arrayId, index, number, event, this.#keys);
  }
}
