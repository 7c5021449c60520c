import type { Unfolding } from "./unfolding.ts";

/** The maximum of each window and channel; padding never wins. Shapes as in `averagePool`. */
export const maxPool = (x: Float32Array, y: Float32Array, unfolding: Unfolding): void => {
  pool(x, y, unfolding, Number.NEGATIVE_INFINITY, Math.max, last);
};

/**
 * The mean of each window and channel, over the samples inside the input: padding is not counted.
 *
 * @param x [height × width × channels]
 * @param y [outputHeight × outputWidth × channels], all of it written
 */
export const averagePool = (x: Float32Array, y: Float32Array, unfolding: Unfolding): void => {
  pool(x, y, unfolding, 0, sum, mean);
};

const sum = (a: number, b: number): number => a + b;
const last = (a: number): number => a;
const mean = (a: number, count: number): number => a / count;

const pool = (
  x: Float32Array,
  y: Float32Array,
  { kernel, stride, dilation, padding, height, width, channels, outputHeight, outputWidth }: Unfolding,
  start: number,
  join: (a: number, b: number) => number,
  finish: (a: number, count: number) => number,
): void => {
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      for (let c = 0; c < channels; c++) {
        let value = start;
        let count = 0;
        for (let ky = 0; ky < kernel[0]; ky++) {
          const iy = oy * stride[0] + ky * dilation[0] - padding[0];
          if (iy < 0 || iy >= height) continue;
          for (let kx = 0; kx < kernel[1]; kx++) {
            const ix = ox * stride[1] + kx * dilation[1] - padding[1];
            if (ix < 0 || ix >= width) continue;
            value = join(value, x[(iy * width + ix) * channels + c]!);
            count++;
          }
        }
        y[(oy * outputWidth + ox) * channels + c] = finish(value, count);
      }
    }
  }
};
