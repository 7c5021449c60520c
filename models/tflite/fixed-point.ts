/**
 * A real factor as TFLite's integer kernels take it: `factor = multiplier · 2^(shift − 31)`, the multiplier of 31 bits
 * (Jacob et al., 2018, section 2.2; `QuantizeMultiplier` of `kernels/internal/quantization_util.cc`).
 */
export interface FixedFactor {
  readonly multiplier: number;
  readonly shift: number;
}

/** @throws RangeError unless the factor is in 0 … 32768 */
export const fixedFactor = (factor: number): FixedFactor => {
  if (!(factor >= 0 && factor < 32768)) throw new RangeError(`factor: expected a number in 0 … 32768, got ${factor}`);
  if (factor === 0) return { multiplier: 0, shift: 0 };
  let shift = Math.floor(Math.log2(factor)) + 1;
  let multiplier = Math.round(factor * 2 ** (31 - shift));
  if (multiplier >= 2 ** 31) [multiplier, shift] = [multiplier / 2, shift + 1];
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
};

/**
 * `x · factor` to the nearest integer, halves upwards: `⌊(x · multiplier + 2^(30 − shift)) / 2^(31 − shift)⌋`, as
 * TFLite rounds today, once (`MultiplyByQuantizedMultiplier` with `TFLITE_SINGLE_ROUNDING`; older kernels rounded the
 * high half of the product and then its shift, which gives another code now and then).
 *
 * @param x an int32: the product has up to 62 bits and a double 53, so it is taken in two parts of 15 and 16 bits
 */
export const timesFactor = (x: number, { multiplier, shift }: FixedFactor): number => {
  const high = Math.floor(multiplier / 32768);
  const low = multiplier - high * 32768;
  const unit = 2 ** (16 - shift);
  return Math.floor((x * high + Math.floor((x * low) / 32768) + unit / 2) / unit);
};

/** `min(max(x, low), high)` */
export const within = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);
