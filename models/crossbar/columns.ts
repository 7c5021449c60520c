import type { DeviceModel } from "./devices/device.ts";
import type { CellsShape } from "./mapping.ts";

/**
 * What the outputs of a tile act with: the mean over its crossbars of the column that each output stands in, or with
 * `power` 2 the variance of that mean. Not a copy where outputs are the columns of one crossbar.
 *
 * @param values of all devices, numbered as in `TileCells`
 * @param columns the column of each output
 * @returns [outputs × inputs × 2]
 */
export const outputsOf = (
  values: Float32Array,
  { columns: width, inputs, crossbars }: CellsShape,
  columns: Int32Array,
  power: 1 | 2,
): Float32Array => {
  const row = 2 * inputs;
  if (crossbars === 1 && columns.every((column, o) => column === o)) return values.subarray(0, row * columns.length);
  const means = new Float32Array(row * columns.length);
  const share = crossbars ** -power;
  for (let o = 0; o < columns.length; o++) {
    for (let d = 0; d < row; d++) {
      let sum = 0;
      for (let k = 0; k < crossbars; k++) sum += values[(k * width + columns[o]!) * row + d]!;
      means[o * row + d] = share * sum;
    }
  }
  return means;
};

/**
 * The same values with each output in the column of its own number, and `rest` in all others.
 * @param values of all devices  @param columns the column that each output stands in
 */
export const inOwnColumns = (
  values: Float32Array,
  shape: CellsShape,
  columns: Int32Array,
  rest: number,
): Float32Array => {
  const moved = new Float32Array(values.length).fill(rest);
  for (let o = 0; o < columns.length; o++) {
    const [from, to] = [devicesOf(columns[o]!, shape), devicesOf(o, shape)];
    for (let n = 0; n < to.length; n++) moved[to[n]!] = values[from[n]!]!;
  }
  return moved;
};

/** The devices of one column in all crossbars, by number. @param devices where to put them */
export const devicesOf = (
  column: number,
  { columns: width, inputs, crossbars }: CellsShape,
  devices = new Uint32Array(crossbars * 2 * inputs),
): Uint32Array => {
  const row = 2 * inputs;
  for (let n = 0; n < devices.length; n++) {
    const crossbar = Math.floor(n / row);
    devices[n] = (crossbar * width + column) * row + (n - crossbar * row);
  }
  return devices;
};

/** The column of a device, by number. */
export const columnIn = ({ columns, inputs }: CellsShape, device: number): number =>
  Math.floor(device / (2 * inputs)) % columns;

/** The outputs that devices, by number, belong to. @param columns the column of each output */
export const outputsWith = (
  devices: ArrayLike<number>,
  shape: CellsShape,
  columns: Int32Array,
): ReadonlySet<number> => {
  const outputs = new Set<number>();
  for (let k = 0; k < devices.length; k++) outputs.add(columns.indexOf(columnIn(shape, devices[k]!)));
  outputs.delete(-1);
  return outputs;
};

/**
 * How a pair holds a weight. `one-sided`: the device of the other sign stays at g_min. `two-sided`: both move, from the
 * middle of the range, as far as the weight is from zero.
 */
export type Pairing = "one-sided" | "two-sided";

/** Weight that a Siemens stands for, by output, from the weight that the whole range of a device stands for. */
export const weightsPerSiemensOf = (
  weightMax: Float64Array,
  { gMinSiemens, gMaxSiemens }: Pick<DeviceModel, "gMinSiemens" | "gMaxSiemens">,
): Float64Array => weightMax.map((weight) => weight / (gMaxSiemens - gMinSiemens));

/**
 * What each device should conduct so that pairs hold the weights, spare columns the least:
 *
 *   G⁺, G⁻ = g_min + max(±W, 0) / weightsPerSiemens             one-sided
 *   G⁺, G⁻ = (g_min + g_max ± W / weightsPerSiemens) / 2        two-sided
 *
 * @param weights [outputs × inputs]
 * @param weightsPerSiemens of each output
 */
export const targetsOf = (
  weights: Float32Array,
  weightsPerSiemens: Float64Array,
  { gMinSiemens, gMaxSiemens }: Pick<DeviceModel, "gMinSiemens" | "gMaxSiemens">,
  pairing: Pairing,
  { columns: width, inputs, crossbars }: CellsShape,
  columns: Int32Array,
): Float32Array => {
  const targets = new Float32Array(2 * crossbars * width * inputs).fill(gMinSiemens);
  for (let k = 0; k < crossbars; k++) {
    for (let o = 0; o < columns.length; o++) {
      const from = 2 * (k * width + columns[o]!) * inputs;
      for (let i = 0; i < inputs; i++) {
        const siemens = weights[o * inputs + i]! / weightsPerSiemens[o]!;
        for (const sign of [1, -1]) {
          targets[from + 2 * i + (sign === 1 ? 0 : 1)] =
            pairing === "one-sided"
              ? gMinSiemens + Math.max(sign * siemens, 0)
              : Math.max((gMinSiemens + gMaxSiemens + sign * siemens) / 2, gMinSiemens); // never below by rounding
        }
      }
    }
  }
  return targets;
};

/** Largest Σ |W| of an output. @param siemens [outputs × inputs × 2] @param weightsPerSiemens of each output */
export const largestSum = (siemens: Float32Array, weightsPerSiemens: Float64Array): number => {
  const row = siemens.length / weightsPerSiemens.length;
  let largest = 0;
  for (let o = 0; o < weightsPerSiemens.length; o++) {
    let sum = 0;
    for (let d = o * row; d < (o + 1) * row; d += 2) sum += Math.abs(siemens[d]! - siemens[d + 1]!);
    largest = Math.max(largest, sum * weightsPerSiemens[o]!);
  }
  return largest;
};

/** Largest |W|; both as `largestSum`. */
export const largestWeight = (siemens: Float32Array, weightsPerSiemens: Float64Array): number => {
  const row = siemens.length / weightsPerSiemens.length;
  let largest = 0;
  for (let d = 0; d < siemens.length; d += 2) {
    const weight = Math.abs(siemens[d]! - siemens[d + 1]!) * weightsPerSiemens[Math.floor(d / row)]!;
    largest = Math.max(largest, weight);
  }
  return largest;
};

/** Numbers of the spare columns that no output stands in. @param columns the column of each output */
export const sparesBeside = (columns: Int32Array, { columns: width }: CellsShape): readonly number[] => {
  const outputs = columns.length;
  return Array.from({ length: width - outputs }, (_, n) => n).filter((spare) => !columns.includes(outputs + spare));
};
