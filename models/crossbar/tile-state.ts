import { type AdcRanges, checkOffsets } from "./calibration.ts";
import type { TileCells } from "./cells.ts";
import { checkFaults, type FaultMap } from "./faults.ts";
import { type CellsShape, expectInteger } from "./mapping.ts";
import type { WrittenCells } from "./programming.ts";

/**
 * All that a tile is beside its weights: plain numbers and typed arrays, to be stored and put back. A tile made from it
 * with the same weights and spec gives the same bits as the one that it was taken from; nothing is programmed anew.
 */
export interface TileState {
  /** Devices of the tile, numbered as `TileCells` has them. */
  readonly cells: WrittenCells;
  /** The spare tile of the chip whose devices these are; left out: the tile's own. */
  readonly spare?: number;
  /** Left out: none. */
  readonly faults?: FaultMap;
  /** What each device should conduct, S; left out: as the weights say. */
  readonly targetsSiemens?: Float32Array;
  /** What each device should conduct by weights that were learned in place, S; left out: by those of the model. */
  readonly weightSiemens?: Float32Array;
  /** The column, of `outputs` and then the spares, that each output stands in. */
  readonly columns: Int32Array;
  /** Drift compensation of each output. */
  readonly alpha: Float64Array;
  /** What is added to each output; left out: nothing. */
  readonly offsets?: Float32Array;
  /** Full scale of the ADC, in units of W·x, and of the finer range for calibration reads. */
  readonly outputMax: number;
  readonly calibrationMax: number;
  /** Mean |y| of each output for one-hot inputs, when programmed. */
  readonly programmedResponse: Float64Array;
  /** `outputMax` and `calibrationMax` when programmed; left out: as they are. */
  readonly programmedRanges?: AdcRanges;
}

/** The tiles of an array, at one time and temperature. */
export interface ArrayState {
  /** Chip time in seconds at the reference temperature. */
  readonly atSeconds: number;
  readonly celsius: number;
  readonly tiles: readonly TileState[];
}

/** A chip that runs a network: its arrays by name, and the number that the next inference has. */
export interface ChipState {
  readonly inference: number;
  readonly arrays: Readonly<Record<string, ArrayState>>;
}

/** A copy that shares no memory. */
export const copyCells = (cells: WrittenCells): WrittenCells => ({
  g0Siemens: cells.g0Siemens.slice(),
  drift: cells.drift.slice(),
  noise: cells.noise.slice(),
  writtenAtSeconds: cells.writtenAtSeconds.slice(),
  writes: cells.writes.slice(),
});

/** What a tile's circuit has of its state. */
interface CircuitState {
  readonly alpha: Float64Array;
  readonly offsets: Float32Array;
  readonly outputMax: number;
  readonly calibrationMax: number;
}

/** The state of a tile, without what may be left out: `Tile.state`. */
export const stateOf = (
  { cells, faults, targetsSiemens, weightSiemens, isTaught }: TileCells,
  { alpha, offsets, outputMax, calibrationMax }: CircuitState,
  { response, ranges }: { readonly response: Float64Array; readonly ranges: AdcRanges },
  columns: Int32Array,
  spare: number | undefined,
  as: "copy" | "view",
): TileState => ({
  ...(isTaught && { weightSiemens: as === "view" ? weightSiemens : weightSiemens.slice() }),
  cells: as === "view" ? cells : copyCells(cells),
  ...(targetsSiemens !== weightSiemens && {
    targetsSiemens: as === "view" ? targetsSiemens : targetsSiemens.slice(),
  }),
  ...(spare !== undefined && { spare }),
  ...(faults && { faults }),
  columns: columns.slice(),
  alpha: alpha.slice(),
  ...(offsets.some((offset) => offset !== 0) && { offsets: offsets.slice() }),
  ...{ outputMax, calibrationMax },
  programmedResponse: response.slice(),
  ...(outputMax !== ranges[0] && { programmedRanges: ranges }),
});

/** @throws RangeError where a state is not one of a tile of this shape, on a chip with so many spare tiles */
export const checkState = (state: TileState, outputs: number, shape: CellsShape, spareTiles: number): void => {
  const devices = 2 * shape.crossbars * shape.columns * shape.inputs;
  const expectLength = (name: string, { length }: ArrayLike<number>, expected: number): void => {
    if (length !== expected) throw new RangeError(`state ${name}: expected ${expected} numbers, got ${length}`);
  };
  const expectNumbers = (
    name: string,
    values: Float32Array | Float64Array,
    isRight: (value: number) => boolean,
  ): void => {
    const wrong = values.findIndex((value) => !isRight(value));
    if (wrong >= 0) throw new RangeError(`state ${name}[${wrong}]: expected a finite number ≥ 0, got ${values[wrong]}`);
  };
  const isPositive = (value: number) => value >= 0 && value < Infinity;
  for (const [name, values] of Object.entries(state.cells)) expectLength(`cells.${name}`, values, devices);
  for (const name of ["targetsSiemens", "weightSiemens"] as const) {
    const siemens = state[name];
    if (siemens === undefined) continue;
    expectLength(name, siemens, devices);
    expectNumbers(name, siemens, isPositive);
  }
  if (state.spare !== undefined) expectInteger("state spare", state.spare, 0, spareTiles - 1);
  expectLength("columns", state.columns, outputs);
  expectLength("alpha", state.alpha, outputs);
  expectLength("programmedResponse", state.programmedResponse, outputs);
  expectNumbers("cells.g0Siemens", state.cells.g0Siemens, isPositive);
  expectNumbers("cells.writtenAtSeconds", state.cells.writtenAtSeconds, isPositive);
  expectNumbers("alpha", state.alpha, isPositive);
  expectNumbers("programmedResponse", state.programmedResponse, isPositive);
  if (state.offsets) checkOffsets(state.offsets, outputs);
  const column = state.columns.find((c) => !(c >= 0 && c < shape.columns));
  if (column !== undefined || new Set(state.columns).size !== outputs) {
    throw new RangeError(
      `state columns: expected ${outputs} different columns of ${shape.columns}, got ${state.columns}`,
    );
  }
  if (state.faults) checkFaults(state.faults, shape);
};
