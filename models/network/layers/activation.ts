/** `y = min(max(x, low), high)`: relu is `0 … ∞`, relu6 `0 … 6`. `y` may be `x`. */
export const clamp = (x: Float32Array, y: Float32Array, low: number, high: number): void => {
  for (let i = 0; i < y.length; i++) {
    // V8 leaves Math.min and Math.max as calls in this loop.
    let value = x[i]!;
    if (value < low) value = low;
    if (value > high) value = high;
    y[i] = value;
  }
};

/** `y = x` where x ≥ 0, else `slope · x`. `y` may be `x`. */
export const leakyRelu = (x: Float32Array, y: Float32Array, slope: number): void => {
  for (let i = 0; i < y.length; i++) {
    const value = x[i]!;
    y[i] = value < 0 ? slope * value : value;
  }
};

/** `y = 1 / (1 + e^−x)`. `y` may be `x`. */
export const sigmoid = (x: Float32Array, y: Float32Array): void => {
  for (let i = 0; i < y.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]!));
};

/** `y = tanh x`. `y` may be `x`. */
export const tanh = (x: Float32Array, y: Float32Array): void => {
  for (let i = 0; i < y.length; i++) y[i] = Math.tanh(x[i]!);
};

/** Softmax over the last axis, of `channels` elements; the maximum is taken off first. `y` may be `x`. */
export const softmax = (x: Float32Array, y: Float32Array, channels: number): void => {
  for (let from = 0; from < y.length; from += channels) {
    let max = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < channels; c++) max = Math.max(max, x[from + c]!);
    let total = 0;
    for (let c = 0; c < channels; c++) {
      const e = Math.exp(x[from + c]! - max);
      y[from + c] = e;
      total += e;
    }
    for (let c = 0; c < channels; c++) y[from + c] = y[from + c]! / total;
  }
};
