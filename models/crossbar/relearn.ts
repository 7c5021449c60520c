import type { CrossbarArray } from "./array.ts";
import { pieceOf } from "./array-spec.ts";
import { devicesOf, type Pairing, targetsOf, weightsPerSiemensOf } from "./columns.ts";
import type { DeviceModel } from "./devices/device.ts";
import { noWrites, type WriteCount, type WriteVerify } from "./programming.ts";
import { weightPieces } from "./slices.ts";
import type { Tile } from "./tile.ts";

/** A matrix on an array, as it was programmed: not in digits (`weightSlices`). */
export interface Programmed {
  readonly array: CrossbarArray;
  /** [outputs × inputs] */
  readonly weights: Float32Array;
  readonly device: DeviceModel;
  readonly pairing?: Pairing;
  readonly scaleByColumn?: boolean;
}

/** The weight that a device of g_max stands for, of each pair: [outputs × inputs]. */
export const weightMaxOf = (programmed: Programmed): Float32Array => {
  const { array } = programmed;
  const all = new Float32Array(array.outputs * array.inputs);
  for (const { place } of array.tiles) {
    for (const [o, most] of fullScaleOf(programmed, place).entries()) {
      const from = (place.outputFrom + o) * array.inputs + place.inputFrom;
      all.fill(most, from, from + place.inputs);
    }
  }
  return all;
};

/**
 * Let an array hold other weights [outputs × inputs] from now on, |W| ≤ `weightMaxOf`: devices that this moves are written
 * to what stands for them among devices that have drifted, W± / α. α stays. The weights that it was programmed with bring
 * it back exactly, in what it should hold. @returns by tile what it took
 */
export const relearn = (programmed: Programmed, weights: Float32Array, verify?: WriteVerify): readonly WriteCount[] => {
  const { array, device, pairing = "one-sided" } = programmed;
  return array.tiles.map((tile) => {
    const { place, shape } = tile;
    const perSiemens = weightsPerSiemensOf(fullScaleOf(programmed, place), device);
    const columns = Int32Array.from({ length: place.outputs }, (_, o) => tile.columnOf(o));
    const piece = pieceOf(weights, array.inputs, place);
    return rewriteMoved(tile, targetsOf(piece, perSiemens, device, pairing, shape, columns), verify);
  });
};

const fullScaleOf = ({ array, weights, scaleByColumn = false }: Programmed, place: Tile["place"]): Float64Array =>
  weightPieces(pieceOf(weights, array.inputs, place), place.outputs, scaleByColumn)[0]!.fullScale;

/** Write the devices of outputs that should conduct something else than until now. @param wanted of all devices, S */
const rewriteMoved = (tile: Tile, wanted: Float32Array, verify?: WriteVerify): WriteCount => {
  const held = tile.targetsSiemens("weights");
  const moved = Array.from(tile.alpha).flatMap((alpha, o) =>
    Array.from(devicesOf(tile.columnOf(o), tile.shape))
      .filter((d) => wanted[d] !== held[d])
      .map((d) => [d, wanted[d]! / alpha] as const),
  );
  if (moved.length === 0) return noWrites;
  moved.sort(([a], [b]) => a - b); // the order in which devices are written
  const devices = Uint32Array.from(moved, ([d]) => d);
  tile.teach(devices, wanted);
  return tile.rewrite(
    devices,
    verify,
    moved.map(([, aim]) => aim),
  );
};
