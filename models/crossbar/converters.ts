import { roundHalfToEven } from "../quantisation.ts";
import { expectInteger } from "./mapping.ts";

/**
 * A converter with sign and magnitude: 2^bits − 1 levels, evenly over −max … max, zero among them (CrossSim's
 * convention). It clips, then rounds half to even:
 *
 *   code = rint(clip(x, ±max) · codeMax / max)        codeMax = 2^(bits − 1) − 1
 *
 * `levels.ts` has the convention of 2^bits levels over an asymmetric range too.
 */
export interface Converter {
  readonly bits: number;
  /** Full scale, in the unit of what is converted. */
  readonly max: number;
  /** Code of the full scale. */
  readonly codeMax: number;
}

/** Most bits of a DAC: its codes multiply int16 weights exactly in 32 bits. */
export const maxDacBits = 12;
/** Most bits of an ADC. */
export const maxAdcBits = 16;
/** Most bits of either, where tiles are read in detail: finer than Float32. */
export const maxDetailedBits = 24;

/** @throws RangeError unless `bits` is an integer in 2 … `maxBits` and `max` finite and positive; `name` is "dac" or "adc" */
export const converter = (
  name: "dac" | "adc",
  bits: number,
  max: number,
  mostBits = name === "dac" ? maxDacBits : maxAdcBits,
): Converter => {
  expectInteger(`${name}Bits`, bits, 2, mostBits);
  if (!(max > 0 && Number.isFinite(max))) {
    const parameter = name === "dac" ? "inputMax" : "tileOutputMax";
    throw new RangeError(`${parameter}: expected a finite number > 0, got ${max}`);
  }
  return { bits, max, codeMax: (1 << (bits - 1)) - 1 };
};

/** The code of one value: what kernels do to many. NaN gives 0. */
export const codeOf = ({ max, codeMax }: Converter, x: number): number =>
  Number.isNaN(x) ? 0 : Math.max(-codeMax, Math.min(codeMax, roundHalfToEven((x * codeMax) / max)));

/** The value that a code stands for. */
export const levelOf = ({ max, codeMax }: Converter, code: number): number => (code * max) / codeMax;
