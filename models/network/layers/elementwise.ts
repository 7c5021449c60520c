/** `y = a + b`. */
export const add = (a: Float32Array, b: Float32Array, y: Float32Array): void => {
  for (let i = 0; i < y.length; i++) y[i] = a[i]! + b[i]!;
};

/** `y = scale · x + shift`, both a channel; the channel is the last axis. `y` may be `x`. */
export const scaleAndShift = (x: Float32Array, y: Float32Array, scale: Float32Array, shift: Float32Array): void => {
  const channels = scale.length;
  for (let from = 0; from < y.length; from += channels) {
    for (let c = 0; c < channels; c++) y[from + c] = scale[c]! * x[from + c]! + shift[c]!;
  }
};

/**
 * What follows a matrix product: bias and, fused with it, the bounds of a relu. Writes the channels
 * `from … from + partial.length / rows` of `y`.
 *
 * @param partial [rows × parts], the product; may be `y` where it holds all channels
 * @param bias [channels]
 * @param y [rows × channels]
 */
export const addBias = (
  partial: Float32Array,
  y: Float32Array,
  bias: Float32Array,
  { rows, from, low, high }: { rows: number; from: number; low: number; high: number },
): void => {
  const channels = bias.length;
  const parts = partial.length / rows;
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < parts; c++) {
      const sum = partial[row * parts + c]! + bias[from + c]!;
      y[row * channels + from + c] = sum < low ? low : sum > high ? high : sum;
    }
  }
};
