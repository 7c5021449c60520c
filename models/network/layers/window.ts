/** Where a convolution or a pool looks: kernel, step, spread and border, each over height and width. */
export interface Window {
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
}

/** Height and width of what a window gives on `[height, width]`; 0 or less where it does not fit in. */
export const windowOutput = (height: number, width: number, window: Window): readonly [number, number] => {
  const { kernel, stride, dilation, padding } = window;
  const along = (size: number, axis: 0 | 1): number =>
    Math.floor((size + padding[axis] + padding[axis + 2]! - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis]) +
    1;
  return [along(height, 0), along(width, 1)];
};
