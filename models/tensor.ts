/** Dimensions of a tensor, outermost first; row-major, channels last: `[height, width, channels]`. */
export type Shape = readonly number[];

/** Number of elements of a tensor of this shape; 1 for a scalar `[]`. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** Index of the largest value; the first of several. */
export const argmax = (values: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
};

/** A tensor of int8 codes: `real = scale · (code − zeroPoint)`. What the DACs of the first layer take. */
export interface QuantisedTensor {
  readonly data: Int8Array;
  readonly shape: Shape;
  /** Width of one code, in the unit of the feature. */
  readonly scale: number;
  /** The code that stands for zero. */
  readonly zeroPoint: number;
}
