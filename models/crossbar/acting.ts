import type { TileCells } from "./cells.ts";
import { outputsOf } from "./columns.ts";
import type { DeviceModel } from "./devices/device.ts";
import { type PairWires, throughWires } from "./wires/pair-wires.ts";

/** Room for a number of each device. */
export interface DeviceRoom {
  readonly siemens: Float32Array;
  readonly squareSiemens: Float32Array;
  /** What the wires leave of each device; empty without wires. */
  readonly ratios: Float32Array;
}

/** What a circuit multiplies by, all [outputs × inputs × 2], plus and minus of each pair in turn; valid until the next. */
export interface Acting {
  /** S, through the wires. */
  readonly siemens: Float32Array;
  /** Variance of one read of each, S². Made when asked, for devices with read noise. */
  squareSiemens(): Float32Array;
  /** Coefficients of V² and V³ of devices that are not linear, A/V² and A/V³, without wires. Made when asked. */
  curvature(): readonly [square: Float32Array, cube: Float32Array];
  /** All devices as they are, without wires, numbered as in `TileCells`. Made when asked. */
  allSiemens(): Float32Array;
}

/**
 * Bring the devices of a tile to a time and a temperature, and join them to outputs.
 *
 * @param columns the column that each output stands in
 * @param wires   resistance of the lines, put into the conductances; undefined: none
 */
export const actingAt = (
  cells: TileCells,
  columns: Int32Array,
  device: DeviceModel,
  wires: PairWires | undefined,
  atSeconds: number,
  celsius: number,
  scratch: DeviceRoom,
): Acting => {
  const { shape } = cells;
  const size = cells.targetsSiemens.length;
  const siemens = scratch.siemens.subarray(0, size);
  cells.conductances(atSeconds, celsius, siemens);
  const { ratios } = scratch;
  if (wires) {
    const one = size / shape.crossbars;
    for (let from = 0; from < size; from += one) {
      const some = siemens.subarray(from, from + one);
      throughWires(some, shape.columns, shape.inputs, wires, ratios.subarray(from, from + one));
    }
  }
  const allSiemens = (): Float32Array => {
    const all = new Float32Array(size);
    cells.conductances(atSeconds, celsius, all);
    return all;
  };
  return {
    siemens: outputsOf(siemens, shape, columns, 1),
    squareSiemens() {
      const squares = scratch.squareSiemens.subarray(0, size);
      cells.readVariances(atSeconds, celsius, squares);
      if (wires) for (let d = 0; d < size; d++) squares[d] = squares[d]! * ratios[d]! ** 2;
      return outputsOf(squares, shape, columns, 2);
    },
    curvature() {
      const all = allSiemens();
      const terms = [2, 3].map((power) =>
        all.map((g) => (g > 0 && device.currentCoefficients ? device.currentCoefficients(g)[power - 1]! : 0)),
      );
      return [outputsOf(terms[0]!, shape, columns, 1), outputsOf(terms[1]!, shape, columns, 1)];
    },
    allSiemens,
  };
};
