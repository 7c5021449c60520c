import { roundHalfToEven } from "../quantisation.ts";
import type { Converter } from "./converters.ts";
import { packedIndex } from "./kernels/kernel.ts";

/** How fine the integers of a packed tile may be so that no sum of products leaves 32 bits. */
export interface Limits {
  /** Largest code of a weight: 32767 for DACs of 8 bits. */
  readonly weight: number;
  /** Largest code of a variance: 255 for up to 256 inputs. */
  readonly variance: number;
  /** How far squares of DAC codes are shifted right to fit 15 bits: 0 up to 8 bits. */
  readonly squareShift: number;
}

/** The limits of a tile of `inputs` inputs behind these DACs. */
export const limitsOf = ({ bits, codeMax }: Converter, inputs: number): Limits => {
  const squareShift = Math.max(0, 2 * bits - 2 - 15);
  const squareMax = Math.round(codeMax ** 2 / 2 ** squareShift);
  const largest = (factor: number) => Math.floor((2 ** 31 - 1) / (inputs * factor));
  return { weight: Math.min(32767, largest(codeMax)), variance: Math.min(255, largest(squareMax)), squareShift };
};

/**
 * Write `(g⁺ − g⁻) · weightsPerSiemens[o]` as codes into `packed`, each output with its own width of a code, and that
 * width, in weight units, into `widths[o]`. `siemens` holds plus and minus of each pair in turn, [outputs × inputs].
 */
export const packWeights = (
  siemens: Float32Array,
  inputs: number,
  weightsPerSiemens: Float64Array,
  codeMax: number,
  packed: Int16Array,
  widths: Float64Array,
): void => {
  for (let o = 0; o < widths.length; o++) {
    const from = o * inputs;
    let largest = 0;
    for (let p = from; p < from + inputs; p++) {
      largest = Math.max(largest, Math.abs(siemens[2 * p]! - siemens[2 * p + 1]!));
    }
    const codesPerSiemens = largest > 0 ? codeMax / largest : 0;
    widths[o] = (largest / codeMax) * weightsPerSiemens[o]!;
    for (let i = 0; i < inputs; i++) {
      const difference = siemens[2 * (from + i)]! - siemens[2 * (from + i) + 1]!;
      packed[packedIndex(o, i, inputs)] = roundHalfToEven(difference * codesPerSiemens);
    }
  }
};

/**
 * Write the variance of each pair, `(v⁺ + v⁻) · weightsPerSiemens[o]²`, as codes into `packed`, and the width of a code,
 * in square weight units, into `widths[o]`. What rounding takes from one code it gives to the next, so that the sum
 * over any inputs of like size is right although a code has only a few hundred steps.
 */
export const packVariances = (
  squareSiemens: Float32Array,
  inputs: number,
  weightsPerSiemens: Float64Array,
  codeMax: number,
  packed: Uint8Array,
  widths: Float64Array,
): void => {
  for (let o = 0; o < widths.length; o++) {
    const from = o * inputs;
    let largest = 0;
    for (let p = from; p < from + inputs; p++) {
      largest = Math.max(largest, squareSiemens[2 * p]! + squareSiemens[2 * p + 1]!);
    }
    const codesPerSquare = largest > 0 ? codeMax / largest : 0;
    widths[o] = (largest / codeMax) * weightsPerSiemens[o]! ** 2;
    let rest = 0;
    for (let i = 0; i < inputs; i++) {
      const exact = (squareSiemens[2 * (from + i)]! + squareSiemens[2 * (from + i) + 1]!) * codesPerSquare + rest;
      const code = Math.min(roundHalfToEven(exact), codeMax);
      packed[packedIndex(o, i, inputs)] = code;
      rest = exact - code;
    }
  }
};
