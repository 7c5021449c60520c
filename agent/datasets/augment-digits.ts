import type { SequentialRandom } from "../../models/random.ts";

/** How far a picture is moved, turned, stretched and bent before it is trained on; 0: not. */
export interface PictureAugmentation {
  readonly height: number;
  readonly width: number;
  /** Largest shift either way along each axis, pixels. */
  readonly shiftPixels: number;
  /** Largest turn either way, degrees. */
  readonly turnDegrees: number;
  /** Largest stretch of each axis, and largest shear, as a part of 1. */
  readonly stretch: number;
  readonly shear: number;
  /** Standard deviation of the displacements of an elastic grid, pixels. */
  readonly bendPixels: number;
  /** Distance of the grid's nodes, pixels. */
  readonly bendGridPixels: number;
}

/**
 * Draws pictures as another hand might have: an affine map by chance and an elastic one (Simard, Steinkraus and Platt,
 * 2003, with a grid of random displacements between which is interpolated, in place of their smoothed field).
 * Each pixel takes the value, bilinearly, of where the map leads; outside is 0.
 */
export class PictureAugmenter {
  readonly #how: PictureAugmentation;
  /** Displacements of the grid's nodes, [rows × columns] each. */
  readonly #dx: Float32Array;
  readonly #dy: Float32Array;
  readonly #columns: number;

  constructor(how: PictureAugmentation) {
    this.#how = how;
    this.#columns = Math.ceil(how.width / how.bendGridPixels) + 1;
    const rows = Math.ceil(how.height / how.bendGridPixels) + 1;
    this.#dx = new Float32Array(rows * this.#columns);
    this.#dy = new Float32Array(rows * this.#columns);
  }

  /** @param sample [height × width × 1], as `out` */
  apply(sample: Float32Array, random: SequentialRandom, out: Float32Array): void {
    const { height, width, shiftPixels, turnDegrees, stretch, shear, bendPixels, bendGridPixels } = this.#how;
    const within = (limit: number): number => (2 * random.uniform() - 1) * limit;
    const angle = (within(turnDegrees) * Math.PI) / 180;
    const [scaleX, scaleY, slant] = [1 + within(stretch), 1 + within(stretch), within(shear)];
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [xx, xy, yx, yy] = [cos * scaleX, (slant * cos - sin) * scaleY, sin * scaleX, (slant * sin + cos) * scaleY];
    const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
    const [shiftX, shiftY] = [middleX + within(shiftPixels), middleY + within(shiftPixels)];
    for (let i = 0; i < this.#dx.length; i++) {
      this.#dx[i] = bendPixels * random.gaussian();
      this.#dy[i] = bendPixels * random.gaussian();
    }
    for (let row = 0; row < height; row++) {
      const v = row - middleY;
      const gridRow = Math.floor(row / bendGridPixels);
      const downPart = row / bendGridPixels - gridRow;
      for (let column = 0; column < width; column++) {
        const u = column - middleX;
        const gridColumn = Math.floor(column / bendGridPixels);
        const acrossPart = column / bendGridPixels - gridColumn;
        const node = gridRow * this.#columns + gridColumn;
        const x = shiftX + xx * u + xy * v + mix(this.#dx, node, this.#columns, acrossPart, downPart);
        const y = shiftY + yx * u + yy * v + mix(this.#dy, node, this.#columns, acrossPart, downPart);
        out[row * width + column] = valueAt(sample, width, height, x, y);
      }
    }
  }
}

/** Between four nodes of a grid. */
const mix = (grid: Float32Array, node: number, columns: number, across: number, down: number): number => {
  const top = grid[node]! + across * (grid[node + 1]! - grid[node]!);
  const below = grid[node + columns]! + across * (grid[node + columns + 1]! - grid[node + columns]!);
  return top + down * (below - top);
};

/** Between four pixels; 0 outside. */
const valueAt = (image: Float32Array, width: number, height: number, x: number, y: number): number => {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  if (left < -1 || top < -1 || left >= width || top >= height) return 0;
  const [across, down] = [x - left, y - top];
  const at = top * width + left;
  const [hasLeft, hasRight] = [left >= 0, left + 1 < width];
  let value = 0;
  if (top >= 0) {
    if (hasLeft) value += (1 - across) * (1 - down) * image[at]!;
    if (hasRight) value += across * (1 - down) * image[at + 1]!;
  }
  if (top + 1 < height) {
    if (hasLeft) value += (1 - across) * down * image[at + width]!;
    if (hasRight) value += across * down * image[at + width + 1]!;
  }
  return value;
};

/** Entry for the trainer's threads: see `AugmentModule` in `models/training/training-set.ts`. */
export const prepare = (
  options: unknown,
): ((sample: Float32Array, random: SequentialRandom, out: Float32Array) => void) => {
  const augmenter = new PictureAugmenter(options as PictureAugmentation);
  return (sample, random, out) => augmenter.apply(sample, random, out);
};
