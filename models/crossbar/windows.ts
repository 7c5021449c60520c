import type { Arena } from "./kernels/arena.ts";

/**
 * The image that the columns of a depthwise convolution look at: output o of row r takes its input i from channel
 * `from + o` of position `taps[r · inputs + i]`.
 */
export interface Windows {
  /** Of the image, each of `stride` channels. */
  readonly positions: number;
  readonly stride: number;
  readonly from: number;
  /** [rows × inputs]; −1 on the border, where the input is 0. */
  readonly taps: Int32Array;
}

/** DAC codes of a row of `channels`, and of a border of zeros after the last row that calibration does not overwrite. */
export const codesOf = ({ positions }: Windows, channels: number, inputs: number) => {
  const row = (channels + 1) & ~1;
  const border = Math.max(positions * row, (inputs + 1) & ~1);
  return { row, border, length: border + row + 16 };
};

/** Where the code of each tap stands, as `MvmKernel.depthwise` takes it: an even number of taps a row. */
export const placesOf = (windows: Windows, channels: number, inputs: number, arena: Arena): Int32Array => {
  const { row, border } = codesOf(windows, channels, inputs);
  const padded = (inputs + 1) & ~1;
  const rows = windows.taps.length / inputs;
  const places = arena.int32(rows * padded);
  for (let at = 0; at < places.length; at++) {
    const tap = at % padded;
    const position = tap < inputs ? windows.taps[Math.floor(at / padded) * inputs + tap]! : -1;
    places[at] = position < 0 ? border : position * row;
  }
  return places;
};
