import type { Shape } from "../../tensor.ts";
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

/** The window of a layer over an input `[height, width, channels]`, for the channels `from … from + channels`. */
export const unfoldingOf = (node: Window, input: Shape, output: Shape, from: number, channels: number): Unfolding => ({
  kernel: node.kernel,
  stride: node.stride,
  dilation: node.dilation,
  padding: node.padding,
  height: input[0]!,
  width: input[1]!,
  inputChannels: input[2]!,
  channelFrom: from,
  channels,
  outputHeight: output[0]!,
  outputWidth: output[1]!,
});

/**
 * Which position of the input each tap of each output position sees, [outputHeight·outputWidth × kernelH·kernelW];
 * −1 on the border.
 */
export const tapPositions = (unfolding: Unfolding): Int32Array => {
  const { kernel, stride, dilation, padding, height, width, outputHeight, outputWidth } = unfolding;
  const positions = new Int32Array(outputHeight * outputWidth * kernel[0] * kernel[1]);
  let at = 0;
  for (let oy = 0; oy < outputHeight; oy++) {
    for (let ox = 0; ox < outputWidth; ox++) {
      for (let ky = 0; ky < kernel[0]; ky++) {
        const iy = oy * stride[0] + ky * dilation[0] - padding[0];
        for (let kx = 0; kx < kernel[1]; kx++) {
          const ix = ox * stride[1] + kx * dilation[1] - padding[1];
          positions[at++] = iy < 0 || iy >= height || ix < 0 || ix >= width ? -1 : iy * width + ix;
        }
      }
    }
  }
  return positions;
};
