/** A tile as a kernel reads it: conductances of an age, as signed integers, and the scales of its converters. */
export interface PackedTile {
  readonly outputs: number;
  readonly inputs: number;
  /** [⌈outputs/16⌉][⌈inputs/2⌉][16][2]: codes of G⁺ − G⁻, by panels of 16 outputs and pairs of inputs; rest zero. */
  readonly weights: Int16Array;
  /** Codes of the variance of one read of G⁺ − G⁻, laid out as the weights; undefined for devices without read noise. */
  readonly variances: Uint8Array | undefined;
  /**
   * Three rows of ⌈outputs/16⌉ · 16 numbers. Gain: ADC codes a unit of Σ weight · code. Noise gain: ADC codes a
   * unit of √(Σ variance · square) · ξ. Output scale: units of W·x of one ADC code, times the drift compensation α.
   */
  readonly scales: Float32Array;
  /** Largest code of the ADC: 2^(bits − 1) − 1. */
  readonly adcMax: number;
}

/**
 * A DAC as a kernel takes it: [levelsPerUnit, codeMax]. In memory, because V8 boxes a fraction that it passes on, an
 * allocation at each call.
 */
export type DacScale = Float32Array;

/** DAC codes of rows of x, each row padded with zeros to an even number. */
export interface InputCodes {
  /** [maxBatch × ⌈inputs/2⌉·2] */
  readonly codes: Int16Array;
  /** Their squares, shifted right by `squareShift` with rounding so that they fit 15 bits: what read noise is made of. */
  readonly squares: Int16Array | undefined;
  readonly squareShift: number;
}

/**
 * The arithmetic of a crossbar. All kernels give the same bits: products are exact in integers, and every Float32
 * operation of noise and converters is rounded in the same order.
 */
export interface MvmKernel {
  readonly name: "reference" | "simd";
  /**
   * DAC: `code = clip(rint(levelsPerUnit · x), ±codeMax)`, half to even, NaN to 0, for `inputs` numbers of each of
   * `batch` rows; the first stands at `x[from]`, rows are `stride` apart. Gives how many were clipped.
   */
  quantise(
    x: Float32Array,
    from: number,
    stride: number,
    inputs: number,
    batch: number,
    dac: DacScale,
    out: InputCodes,
  ): number;
  /**
   * Devices and ADC: `code = clip(rint(gain · Σ w c + noiseGain · √(Σ v c²) · ξ), ±adcMax)` and
   * `y = outputScale · code`, added to y where `accumulate`; ξ of N(0, σ²), σ = `readNoiseSigma`, a function of
   * (row, output, keys) only.
   * The first output stands at `y[from]`, rows are `stride` apart. Gives how many were clipped.
   */
  multiply(
    tile: PackedTile,
    input: InputCodes,
    y: Float32Array,
    from: number,
    stride: number,
    batch: number,
    accumulate: 0 | 1,
    keys: Int32Array,
  ): number;
  /**
   * As `multiply` of `batch` rows, but each output has inputs of its own: output o of a row takes its input i from
   * `codes[windows[row · pairs · 2 + i] + o]`, where pairs = ⌈inputs/2⌉; for an odd number of inputs the last place
   * of a row is not used but must be within the codes, which 16 numbers more must follow.
   */
  depthwise(
    tile: PackedTile,
    input: InputCodes,
    windows: Int32Array,
    y: Float32Array,
    batch: number,
    keys: Int32Array,
  ): number;
}

/** Place of the weight from input `i` to output `o` in a packed tile of `inputs` inputs. */
export const packedIndex = (o: number, i: number, inputs: number): number =>
  (((o >> 4) * ((inputs + 1) >> 1) + (i >> 1)) * 16 + (o & 15)) * 2 + (i & 1);

/** Numbers in the packed weights of a tile: outputs padded to panels of 16, inputs to pairs. */
export const packedLength = (outputs: number, inputs: number): number =>
  Math.ceil(outputs / 16) * 16 * Math.ceil(inputs / 2) * 2;
