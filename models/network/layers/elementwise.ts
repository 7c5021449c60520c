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
