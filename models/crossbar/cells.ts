import type { CounterRandom } from "../random.ts";
import type { DeviceModel, ProgrammedCells } from "./devices/device.ts";
import { applyFaults, type FaultMap } from "./faults.ts";
import type { CellsShape } from "./mapping.ts";
import {
  type TileKey,
  unwrittenCells,
  type WriteCount,
  type WriteVerify,
  type WrittenCells,
  writeDevices,
} from "./programming.ts";
import { slowestFastSeconds, slowNoise } from "./slow-noise.ts";
import { atTemperature } from "./temperature.ts";

/**
 * The devices of a tile with all that was ever done to them. Device 2p is the plus and 2p + 1 the minus of pair
 * p = (crossbar · columns + column) · inputs + input.
 *
 * Time is chip time, in seconds at the reference temperature; a device's age is what has passed since its own last
 * write. Conductances are functions of what is written, of the time and of the temperature, whatever was asked before.
 */
export class TileCells {
  readonly shape: CellsShape;
  readonly cells: WrittenCells;
  readonly faults: FaultMap | undefined;
  /** What each device should conduct as the weights say, S. */
  readonly weightSiemens: Float32Array;
  /** What it is written to: the same, until it was told to aim elsewhere. */
  targetsSiemens: Float32Array;
  /** Whether its weights are, or once were, other than those of the model. */
  isTaught = false;
  readonly #device: DeviceModel;
  readonly #key: TileKey;
  readonly #all: Uint32Array;
  readonly #absent: Uint32Array;
  readonly #followsSlow: boolean;
  readonly #heldSiemens: ReadonlyMap<number, number>;

  /**
   * @param followsSlow whether the slow part of 1/f noise is a path that goes on, and not new in each read
   * @param absent   devices that were never formed: they conduct nothing and are not written
   * @param written  devices that were written before: taken over, nothing is written anew; otherwise all are unwritten
   * @param targetsSiemens where these are not what the weights say
   */
  constructor(
    weightSiemens: Float32Array,
    shape: CellsShape,
    device: DeviceModel,
    key: TileKey,
    faults: FaultMap | undefined,
    absent: Uint32Array,
    followsSlow: boolean,
    written?: WrittenCells,
    targetsSiemens: Float32Array = weightSiemens,
  ) {
    this.shape = shape;
    this.weightSiemens = weightSiemens;
    this.targetsSiemens = targetsSiemens;
    this.#device = device;
    this.#key = key;
    this.faults = faults;
    this.cells = written ?? unwrittenCells(targetsSiemens.length);
    this.#absent = absent;
    this.#followsSlow = followsSlow;
    const missing = new Set(absent);
    const all = new Uint32Array(targetsSiemens.length).map((_, d) => d);
    this.#all = missing.size === 0 ? all : all.filter((d) => !missing.has(d));
    this.#heldSiemens = heldBy(faults, shape, device, targetsSiemens.length);
  }

  /** Pairs that were formed. */
  get formedPairs(): number {
    return this.#all.length / 2;
  }

  /** Chip time of the last write of any device, s. */
  get lastWriteSeconds(): number {
    return this.cells.writtenAtSeconds.reduce((last, at) => Math.max(last, at), 0);
  }

  /**
   * Conductance of each device, S, with its faults, and with the slow part of its noise where that is followed; the mean
   * of its reads at the moment. @throws RangeError before a write
   */
  conductances(atSeconds: number, celsius: number, out: Float32Array): void {
    const device = this.#device;
    this.#byAge(atSeconds, out, (cells, age, values, which) => {
      device.conductances(cells, age, values);
      if (this.#followsSlow) this.#addSlow(cells, atSeconds, age, values, which);
    });
    atTemperature(device, this.cells.g0Siemens, celsius, 1, out);
    if (this.faults) applyFaults(out, this.faults, this.shape, device.gMinSiemens, device.gMaxSiemens);
    this.#leaveOut(out);
  }

  /** Variance of one read of each device about that, S², with its faults; zeros for devices without read noise. */
  readVariances(atSeconds: number, celsius: number, out: Float32Array): void {
    const device = this.#device;
    if (!device.hasReadNoise) {
      out.fill(0);
      return;
    }
    this.#byAge(atSeconds, out, (cells, age, values) => {
      device.readVariances(cells, age, values);
      const { oneOverF } = device;
      if (!this.#followsSlow || !oneOverF) return;
      const amplitudes = new Float32Array(values.length);
      oneOverF.amplitudes(cells, age, amplitudes);
      const slow = Math.max(0, Math.log((age + oneOverF.bornSeconds) / slowestFastSeconds));
      for (let d = 0; d < values.length; d++) values[d] = Math.max(0, values[d]! - amplitudes[d]! ** 2 * slow);
    });
    atTemperature(device, this.cells.g0Siemens, celsius, 2, out);
    if (this.faults) applyFaults(out, this.faults, this.shape, 0, 0);
    this.#leaveOut(out);
  }

  #addSlow(
    cells: ProgrammedCells,
    atSeconds: number,
    ageSeconds: number,
    values: Float32Array,
    which: Uint32Array,
  ): void {
    const { oneOverF } = this.#device;
    if (!oneOverF) return;
    const path = new Float32Array(values.length);
    const amplitudes = new Float32Array(values.length);
    slowNoise(which, this.cells.writes, atSeconds, ageSeconds + oneOverF.bornSeconds, this.#key, path);
    oneOverF.amplitudes(cells, ageSeconds, amplitudes);
    for (let d = 0; d < values.length; d++) values[d] = Math.max(0, values[d]! + amplitudes[d]! * path[d]!);
  }

  #leaveOut(values: Float32Array): void {
    for (const d of this.#absent) values[d] = 0;
  }

  /** Let devices, by number, aim at other conductances, S, which are kept within the range of writes. */
  retarget(devices: ArrayLike<number> | "all", siemens: ArrayLike<number>): void {
    const { gMinSiemens, gMaxSiemens } = this.#device;
    if (this.targetsSiemens === this.weightSiemens) this.targetsSiemens = this.weightSiemens.slice();
    for (let k = 0; k < siemens.length; k++) {
      const d = devices === "all" ? k : devices[k]!;
      this.targetsSiemens[d] = Math.min(gMaxSiemens, Math.max(gMinSiemens, siemens[k]!));
    }
  }

  /** Let devices, by number, hold other weights: theirs of all devices', S. What they are written to stays. */
  teach(devices: Iterable<number>, siemens: Float32Array): void {
    this.isTaught = true;
    if (this.targetsSiemens === this.weightSiemens) this.targetsSiemens = this.weightSiemens.slice();
    for (const d of devices) this.weightSiemens[d] = siemens[d]!;
  }

  /** Let devices hold the weights that others hold, and aim at what these should conduct over `alpha`. */
  moveWeights(from: Uint32Array, to: Uint32Array, alpha: number): void {
    for (let n = 0; n < to.length; n++) this.weightSiemens[to[n]!] = this.weightSiemens[from[n]!]!;
    this.retarget(
      to,
      Array.from(to, (d) => this.weightSiemens[d]! / alpha),
    );
  }

  /** Write devices, by number, to their targets: `writeDevices`. @throws RangeError for a device that there is not */
  write(which: ArrayLike<number> | "all", atSeconds: number, verify?: WriteVerify): WriteCount {
    const devices = which === "all" ? this.#all : checkedDevices(which, this.targetsSiemens.length);
    const { cells, targetsSiemens } = this;
    const write = { device: this.#device, cells, targetsSiemens, key: this.#key, heldSiemens: this.#heldSiemens };
    return writeDevices(devices, atSeconds, write, verify);
  }

  /**
   * One reading of every device by itself, S: its noise, then a converter of `steps` steps up to 1.25 g_max.
   *
   * @param random of this moment: device d draws its number d
   * @param room   for a number of each device at least
   */
  read(atSeconds: number, celsius: number, steps: number, random: CounterRandom, room: Float32Array): Float32Array {
    const siemens = new Float32Array(this.targetsSiemens.length);
    const variances = room.subarray(0, siemens.length);
    this.conductances(atSeconds, celsius, siemens);
    this.readVariances(atSeconds, celsius, variances);
    const step = (1.25 * this.#device.gMaxSiemens) / steps;
    for (let d = 0; d < siemens.length; d++) {
      const noisy = siemens[d]! + (variances[d]! > 0 ? Math.sqrt(variances[d]!) * random.gaussianAt(d) : 0);
      siemens[d] = step * Math.min(steps, Math.max(0, Math.round(noisy / step)));
    }
    return siemens;
  }

  /** Ask the device model, once for each age that devices have. */
  #byAge(
    atSeconds: number,
    out: Float32Array,
    ask: (cells: ProgrammedCells, ageSeconds: number, values: Float32Array, which: Uint32Array) => void,
  ): void {
    const { cells } = this;
    const groups = groupsBy(cells.writtenAtSeconds, this.#all);
    for (const which of groups) {
      const age = atSeconds - cells.writtenAtSeconds[which[0]!]!;
      if (!(age >= 0)) {
        const written = this.lastWriteSeconds;
        throw new RangeError(
          `atSeconds: expected at least ${written}, when a device was last written, got ${atSeconds}`,
        );
      }
      if (groups.length === 1 && which.length === out.length) {
        ask(cells, age, out, which);
        return;
      }
      const some = new Float32Array(which.length);
      ask(takeCells(cells, which), age, some, which);
      for (let k = 0; k < which.length; k++) out[which[k]!] = some[k]!;
    }
  }
}

/** Conductances of devices that no write changes, by number. */
const heldBy = (
  faults: FaultMap | undefined,
  shape: CellsShape,
  { gMinSiemens, gMaxSiemens }: DeviceModel,
  devices: number,
): ReadonlyMap<number, number> => {
  const held = new Map<number, number>();
  if (!faults) return held;
  const marks = new Float32Array(devices).fill(Number.NaN);
  applyFaults(marks, faults, shape, gMinSiemens, gMaxSiemens);
  marks.forEach((siemens, d) => {
    if (!Number.isNaN(siemens)) held.set(d, siemens);
  });
  return held;
};

/** Devices with the same number together, in their order. */
const groupsBy = (numbers: Float64Array, which: Uint32Array): readonly Uint32Array[] => {
  let alike = 0; // mostly all are
  while (alike < which.length && numbers[which[alike]!] === numbers[which[0]!]) alike++;
  if (alike === which.length) return alike === 0 ? [] : [which];
  const sizes = new Map<number, number>();
  for (let k = 0; k < which.length; k++) {
    const number = numbers[which[k]!]!;
    sizes.set(number, (sizes.get(number) ?? 0) + 1);
  }
  const groups = new Map([...sizes].map(([number, size]) => [number, { members: new Uint32Array(size), filled: 0 }]));
  for (let k = 0; k < which.length; k++) {
    const group = groups.get(numbers[which[k]!]!)!;
    group.members[group.filled++] = which[k]!;
  }
  return [...groups.values()].map(({ members }) => members);
};

/** Numbers of some devices by themselves. */
const pick = (values: Float32Array, which: Uint32Array): Float32Array => {
  const some = new Float32Array(which.length);
  for (let k = 0; k < which.length; k++) some[k] = values[which[k]!]!;
  return some;
};

/** Cells of some devices by themselves: a copy. */
const takeCells = ({ g0Siemens, drift, noise }: ProgrammedCells, which: Uint32Array): ProgrammedCells => ({
  g0Siemens: pick(g0Siemens, which),
  drift: pick(drift, which),
  noise: pick(noise, which),
});

const checkedDevices = (which: ArrayLike<number>, devices: number): Uint32Array => {
  for (let k = 0; k < which.length; k++) {
    if (!(Number.isInteger(which[k]) && which[k]! >= 0 && which[k]! < devices)) {
      throw new RangeError(`devices: expected integers in 0 … ${devices - 1}, got ${which[k]}`);
    }
  }
  const sorted = Uint32Array.from(which).sort();
  return sorted.filter((d, k) => k === 0 || d !== sorted[k - 1]);
};
