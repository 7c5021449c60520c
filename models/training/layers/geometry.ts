import type { Shape } from "../../tensor.ts";
import type { Padding, Pair } from "../specification.ts";

/** How windows lie over one sample. */
export interface Geometry {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  /** Zeros around the sample. */
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
  readonly outputHeight: number;
  readonly outputWidth: number;
}

/**
 * Lay windows of a kernel over a sample `[height, width, channels]`.
 *
 * @throws RangeError when the shape has not three axes or a window does not fit
 */
export const geometryOf = (
  name: string,
  shape: Shape,
  { kernel, stride = [1, 1], padding = "same" }: { kernel: Pair; stride?: Pair; padding?: Padding },
): Geometry => {
  if (shape.length !== 3) throw new RangeError(`${name}: expected an input [height, width, channels], got [${shape}]`);
  for (const [what, pair] of Object.entries({ kernel, stride })) {
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((n) => Number.isInteger(n) && n > 0)) {
      throw new RangeError(`${name}: expected ${what} as two integers > 0, got ${JSON.stringify(pair)}`);
    }
  }
  const [height, width, channels] = shape as [number, number, number];
  const [top, bottom, outputHeight] = along(height, kernel[0], stride[0], padding);
  const [left, right, outputWidth] = along(width, kernel[1], stride[1], padding);
  if (outputHeight < 1 || outputWidth < 1) {
    throw new RangeError(`${name}: expected an input of at least ${kernel.join(" × ")}, got ${height} × ${width}`);
  }
  return { height, width, channels, kernel, stride, padding: [top, left, bottom, right], outputHeight, outputWidth };
};

const along = (size: number, kernel: number, stride: number, padding: Padding): [number, number, number] => {
  if (padding === "valid") return [0, 0, Math.floor((size - kernel) / stride) + 1];
  const outputs = Math.ceil(size / stride);
  const total = Math.max(0, (outputs - 1) * stride + kernel - size);
  return [Math.floor(total / 2), Math.ceil(total / 2), outputs];
};
