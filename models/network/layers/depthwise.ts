import type { Unfolding } from "./im2col.ts";

/**
 * Convolve each channel by its own kernel, without bias.
 *
 * @param x [height × width × channels]
 * @param weights [channels × kernelH·kernelW]
 * @param y [outputHeight × outputWidth × channels], all of it written
 */
export const depthwise = (x: Float32Array, weights: Float32Array, y: Float32Array, unfolding: Unfolding): void => {
  const { kernel, stride, dilation, padding, height, width, channels, outputHeight, outputWidth } = unfolding;
  const taps = kernel[0] * kernel[1];
  y.fill(0);
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      const to = (oy * outputWidth + ox) * channels;
      for (let ky = 0; ky < kernel[0]; ky++) {
        const iy = oy * stride[0] + ky * dilation[0] - padding[0];
        if (iy < 0 || iy >= height) continue;
        for (let kx = 0; kx < kernel[1]; kx++) {
          const ix = ox * stride[1] + kx * dilation[1] - padding[1];
          if (ix < 0 || ix >= width) continue;
          const from = (iy * width + ix) * channels;
          const tap = ky * kernel[1] + kx;
          for (let c = 0; c < channels; c++) y[to + c] = y[to + c]! + weights[c * taps + tap]! * x[from + c]!;
        }
      }
    }
  }
};
