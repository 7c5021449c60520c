import type { Window } from "./window.ts";

/** Sizes of one unfolding: input `[height, width, channels]`, of which `channels` from `channelFrom` on are taken. */
export interface Unfolding extends Window {
  readonly height: number;
  readonly width: number;
  /** Of the input. */
  readonly inputChannels: number;
  readonly channelFrom: number;
  readonly channels: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
}

/**
 * Unfold the windows of an image into rows, so that a convolution is a matrix product.
 *
 * @param x [height × width × inputChannels]
 * @param columns [outputHeight·outputWidth × kernelH·kernelW·channels], all of it written; padding gives zeros
 */
export const im2col = (x: Float32Array, columns: Float32Array, unfolding: Unfolding): void => {
  const { kernel, stride, dilation, padding, height, width, inputChannels, channelFrom, channels } = unfolding;
  let at = 0;
  for (let oy = 0; oy < unfolding.outputHeight; oy++) {
    for (let ox = 0; ox < unfolding.outputWidth; ox++) {
      for (let ky = 0; ky < kernel[0]; ky++) {
        const iy = oy * stride[0] + ky * dilation[0] - padding[0];
        for (let kx = 0; kx < kernel[1]; kx++) {
          const ix = ox * stride[1] + kx * dilation[1] - padding[1];
          if (iy < 0 || iy >= height || ix < 0 || ix >= width) {
            for (let c = 0; c < channels; c++) columns[at++] = 0;
          } else {
            const from = (iy * width + ix) * inputChannels + channelFrom;
            for (let c = 0; c < channels; c++) columns[at++] = x[from + c]!;
          }
        }
      }
    }
  }
};
