import type { CrossbarArray } from "../crossbar/array.ts";
import type { Windows } from "../crossbar/windows.ts";
import { sizeOf } from "../tensor.ts";
import type { AnalogNetwork } from "./analog.ts";
import type { Part } from "./parts.ts";

/** What the outputs of an array were beside what they should have been, over rows of inputs: means, each [outputs]. */
export interface OutputStatistics {
  readonly array: CrossbarArray;
  /** Of W x, and of its square. */
  readonly wanted: Float64Array;
  readonly wantedSquare: Float64Array;
  /** Of what the array gave, of its square, and of its product with W x. */
  readonly given: Float64Array;
  readonly givenSquare: Float64Array;
  readonly product: Float64Array;
  /** Largest |W x| of each tile by itself. */
  readonly largest: Float64Array;
}

/**
 * Run inputs through a chip, and compare what each array gives with the exact product of the same x. Each layer goes on
 * with the exact product, so that what is seen of an array does not depend on those before it. One inference an input.
 */
export const outputStatistics = (
  network: AnalogNetwork,
  inputs: readonly Float32Array[],
): readonly OutputStatistics[] => {
  const all = new Map<CrossbarArray, OutputStatistics>();
  const rowsSeen = new Map<CrossbarArray, number>();
  const output = new Float32Array(sizeOf(network.outputShape));
  for (const input of inputs) {
    network.watched(input, output, ({ part, array, x, y, rows, windows }) => {
      const sums = all.get(array) ?? noStatistics(array);
      all.set(array, sums);
      rowsSeen.set(array, (rowsSeen.get(array) ?? 0) + rows);
      const exact = new Float64Array(part.outputs);
      for (let row = 0; row < rows; row++) {
        if (windows) ofWindows(part, windows, x, row, rows, exact);
        else ofTiles(part, array, x, row, exact, sums.largest);
        if (windows) noteLargest(sums.largest, 0, exact);
        addRow(sums, exact, y, row * part.outputs);
      }
    });
  }
  for (const [array, { largest: _, array: __, ...means }] of all) {
    for (const values of Object.values(means)) {
      for (let o = 0; o < values.length; o++) values[o]! /= rowsSeen.get(array)!;
    }
  }
  return [...all.values()];
};

const noStatistics = (array: CrossbarArray): OutputStatistics => {
  const zeros = () => new Float64Array(array.outputs);
  return {
    ...{ array, wanted: zeros(), wantedSquare: zeros(), given: zeros(), givenSquare: zeros(), product: zeros() },
    largest: new Float64Array(array.tiles.length),
  };
};

/** Add a row, and leave the exact product in y. */
const addRow = (sums: OutputStatistics, exact: Float64Array, y: Float32Array, at: number): void => {
  for (let o = 0; o < exact.length; o++) {
    const [wanted, given] = [exact[o]!, y[at + o]!];
    sums.wanted[o]! += wanted;
    sums.wantedSquare[o]! += wanted * wanted;
    sums.given[o]! += given;
    sums.givenSquare[o]! += given * given;
    sums.product[o]! += wanted * given;
    y[at + o] = wanted;
  }
};

/** W x of a row, and the largest part of it that a tile gives. Tiles of digits hold parts of one W: the first is as good as all. */
const ofTiles = (
  { inputs: width, weights }: Part,
  { tiles }: CrossbarArray,
  x: Float32Array,
  row: number,
  exact: Float64Array,
  largest: Float64Array,
): void => {
  exact.fill(0);
  let before: string | undefined;
  for (let t = 0; t < tiles.length; t++) {
    const { outputFrom, outputs, inputFrom, inputs } = tiles[t]!.place;
    const place = `${outputFrom} ${inputFrom}`;
    if (place === before) continue;
    before = place;
    for (let o = outputFrom; o < outputFrom + outputs; o++) {
      let sum = 0;
      const [w, v] = [o * width + inputFrom, row * width + inputFrom];
      for (let i = 0; i < inputs; i++) sum += weights[w + i]! * x[v + i]!;
      exact[o]! += sum;
      if (Math.abs(sum) > largest[t]!) largest[t] = Math.abs(sum);
    }
  }
};

const ofWindows = (
  { outputs, columns }: Part,
  { taps, stride, from }: Windows,
  x: Float32Array,
  row: number,
  rows: number,
  exact: Float64Array,
): void => {
  exact.fill(0);
  const count = taps.length / rows;
  for (let k = 0; k < count; k++) {
    const position = taps[row * count + k]!;
    if (position < 0) continue;
    const at = position * stride + from;
    for (let o = 0; o < outputs; o++) exact[o]! += x[at + o]! * columns![o * count + k]!;
  }
};

const noteLargest = (largest: Float64Array, tile: number, sums: Float64Array): void => {
  for (const sum of sums) largest[tile] = Math.max(largest[tile]!, Math.abs(sum));
};
