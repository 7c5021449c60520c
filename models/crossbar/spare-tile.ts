import type { TileCells } from "./cells.ts";
import { expectInteger } from "./mapping.ts";
import type { WriteCount, WriteVerify } from "./programming.ts";
import { readEvent, readRandom } from "./read-keys.ts";
import { cellsOf, keyOfDevices } from "./tile-cells.ts";
import type { TileSpec } from "./tile-spec.ts";

/** Most spare tiles of a chip. */
export const mostSpareTiles = 256;

/**
 * A spare tile of a chip, as far as one of its tiles could use it: a crossbar of that tile's shape with devices and faults of
 * its own, never written. It is formed where that tile is. `Tile.moveTo` lets the tile stand on it; until then nothing
 * depends on it, and it may be tested.
 */
export class SpareTile {
  readonly number: number;
  readonly cells: TileCells;
  readonly #spec: TileSpec;
  readonly #atSeconds: number;
  readonly #celsius: number;

  /**
   * @param weightSiemens what each device is to hold, S, by number
   * @param atSeconds     chip time at which it is written and read, and its temperature
   * @throws RangeError where the chip has no spare tile of this number
   */
  constructor(number: number, weightSiemens: Float32Array, spec: TileSpec, atSeconds: number, celsius: number) {
    expectInteger("spare tile", number, 0, spec.spareTiles - 1);
    this.number = number;
    this.#spec = spec;
    this.#atSeconds = atSeconds;
    this.#celsius = celsius;
    this.cells = cellsOf(spec, weightSiemens, undefined, number);
  }

  /** Write some devices, by number, to one conductance, S. */
  write(devices: ArrayLike<number>, siemens: number, verify?: WriteVerify): WriteCount {
    this.cells.retarget(devices, new Float32Array(devices.length).fill(siemens));
    return this.cells.write(devices, this.#atSeconds, verify);
  }

  /** Read every device by itself, S, as `Tile.readDevices` does. */
  read(moment: number): Float32Array {
    const random = readRandom(keyOfDevices(this.#spec, this.number), moment, readEvent.devices, new Int32Array(2));
    const [steps, room] = [(1 << (this.#spec.adcBits - 1)) - 1, new Float32Array(this.cells.targetsSiemens.length)];
    return this.cells.read(this.#atSeconds, this.#celsius, steps, random, room);
  }
}

/**
 * Numbers of the spare tiles of a chip that no tile stands on.
 * @param count of all there are  @param taken those that tiles stand on
 * @throws RangeError where two tiles stand on one
 */
export const freeSparesOf = (count: number, taken: readonly number[]): readonly number[] => {
  const inUse = new Set(taken);
  if (inUse.size !== taken.length) throw new RangeError(`spare tiles: expected each to be used once, got ${taken}`);
  return Array.from({ length: count }, (_, spare) => spare).filter((spare) => !inUse.has(spare));
};
