import { devicesOf } from "./columns.ts";
import type { CellsShape } from "./mapping.ts";

/** What other weights ask of the devices of a tile. */
export interface Moved {
  /** Devices that should conduct something else, by number, and what they are written to, S. */
  readonly devices: Uint32Array;
  readonly aims: Float32Array;
}

/**
 * Compare what devices should conduct with what they should until now. Devices are written to what is wanted by α, so
 * that they stand among devices which have drifted; columns without an output are left alone.
 *
 * @param wanted, held of all devices, S, numbered as in `TileCells`
 * @param columns the column of each output
 * @param alpha drift compensation of each output
 */
export const movedBy = (
  wanted: Float32Array,
  held: Float32Array,
  shape: CellsShape,
  columns: Int32Array,
  alpha: Float64Array,
): Moved => {
  const moved = Array.from(alpha).flatMap((factor, o) =>
    Array.from(devicesOf(columns[o]!, shape))
      .filter((d) => wanted[d] !== held[d])
      .map((d) => [d, wanted[d]! / factor] as const),
  );
  moved.sort(([a], [b]) => a - b); // the order in which devices are written
  return { devices: Uint32Array.from(moved, ([d]) => d), aims: Float32Array.from(moved, ([, aim]) => aim) };
};
