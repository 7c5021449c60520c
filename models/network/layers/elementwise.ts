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

/** Sizes of a border around an image. */
export interface Border {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
  readonly value: number;
}

/** `y` = x [height × width × channels] inside a border of `value`. */
export const pad = (x: Float32Array, y: Float32Array, border: Border): void => {
  const { height, width, channels, padding, value } = border;
  y.fill(value);
  const row = (padding[1] + width + padding[3]) * channels;
  for (let h = 0; h < height; h++) {
    const to = (padding[0] + h) * row + padding[1] * channels;
    for (let i = 0; i < width * channels; i++) y[to + i] = x[h * width * channels + i]!;
  }
};

/** `y` [positions × all channels] = the channels of each part one after the other. */
export const concat = (
  parts: readonly { readonly data: Float32Array; readonly channels: number }[],
  y: Float32Array,
  allChannels: number,
): void => {
  let first = 0;
  for (const { data, channels } of parts) {
    for (let i = 0; i < data.length; i++) {
      const position = Math.floor(i / channels);
      y[position * allChannels + first + (i - position * channels)] = data[i]!;
    }
    first += channels;
  }
};
