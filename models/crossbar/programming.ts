import { CounterRandom } from "../random.ts";
import { assumedPulse, type DeviceModel, emptyCells, type ProgrammedCells } from "./devices/device.ts";

/** What is known of each device of a tile: what its last write left, when that was and how many there were. */
export interface WrittenCells extends ProgrammedCells {
  /** Chip time of the last write, s. */
  readonly writtenAtSeconds: Float64Array;
  /** Pulses that the device has had. */
  readonly writes: Uint32Array;
}

/** Names the random numbers of a tile. */
export interface TileKey {
  readonly seed: number;
  readonly arrayId: number;
  readonly index: number;
}

/** Pulse, read, and pulse again until the reading is close to the target. */
export interface WriteVerify {
  /** Largest distance of a reading from the target that is accepted, S. */
  readonly acceptanceSiemens: number;
  /** Most pulses for one device, 1 … 1000; then it stays as it is. */
  readonly maxPulses: number;
}

/** What a write took. */
export interface WriteCount {
  readonly devices: number;
  readonly pulses: number;
  /** Devices whose last reading was not accepted. */
  readonly outside: number;
  /** One device after the other. */
  readonly seconds: number;
  readonly joules: number;
}

export const noWrites: WriteCount = { devices: 0, pulses: 0, outside: 0, seconds: 0, joules: 0 };

/** Sum of two. */
export const addWrites = (a: WriteCount, b: WriteCount): WriteCount => ({
  devices: a.devices + b.devices,
  pulses: a.pulses + b.pulses,
  outside: a.outside + b.outside,
  seconds: a.seconds + b.seconds,
  joules: a.joules + b.joules,
});

/** Cells of devices that were never written. */
export const unwrittenCells = (devices: number): WrittenCells => ({
  ...emptyCells(devices),
  writtenAtSeconds: new Float64Array(devices),
  writes: new Uint32Array(devices),
});

/** Events of the random numbers of verifying reads; pulses count from zero. */
const verifyEvent = 0x8000_0000;

export interface Write {
  readonly device: DeviceModel;
  readonly cells: WrittenCells;
  /** What each device of the tile should conduct, S. */
  readonly targetsSiemens: Float32Array;
  readonly key: TileKey;
  /** Conductance of devices that no pulse changes, S: stuck and unconnected ones. */
  readonly heldSiemens: ReadonlyMap<number, number>;
}

/**
 * Write some devices at a moment of chip time. Pulse n of device d draws numbers 2d and 2d + 1 of the stream (seed,
 * array, tile, n), so that a rewrite draws fresh numbers, and the same ones in each run.
 *
 * Without `verify` a device has one pulse, and with it the whole published spread of a write. With it each pulse draws
 * anew from that spread until a reading, read noise and all, is within the band: an assumption, as no source has the
 * statistics of single correcting pulses. What is left is the spread cut at the band, widened by the read noise.
 */
export const writeDevices = (which: Uint32Array, atSeconds: number, write: Write, verify?: WriteVerify): WriteCount => {
  if (verify) checkVerify(verify);
  const { pulseSeconds, pulseJoules, readSeconds, readVolts } = write.device.pulse ?? assumedPulse;
  const { acceptanceSiemens, maxPulses } = verify ?? { acceptanceSiemens: Infinity, maxPulses: 1 };
  const { cells, targetsSiemens } = write;
  const room = roomFor(Math.min(which.length, atOnce));
  const rejected = new Uint32Array(verify ? which.length : 0);
  let pulses = 0;
  let readSiemens = 0;
  let outside = 0;
  for (let turn = 0; turn < maxPulses; turn++) {
    const pending = turn === 0 ? which : rejected.subarray(0, outside);
    pulses += pending.length;
    outside = 0; // rejected devices take places that were read before
    for (let from = 0; from < pending.length; from += atOnce) {
      const some = pending.subarray(from, from + atOnce);
      pulseOnce(some, write, room);
      if (!verify) continue;
      const readings = readOnce(some, write, room);
      for (let k = 0; k < some.length; k++) {
        readSiemens += Math.max(readings[k]!, 0);
        const isClose = Math.abs(readings[k]! - targetsSiemens[some[k]!]!) <= acceptanceSiemens;
        if (!isClose) rejected[outside++] = some[k]!;
      }
    }
    if (outside === 0) break;
  }
  for (let k = 0; k < which.length; k++) cells.writtenAtSeconds[which[k]!] = atSeconds;
  return {
    devices: which.length,
    pulses,
    outside,
    seconds: pulses * (pulseSeconds + (verify ? readSeconds : 0)),
    joules: pulses * pulseJoules + readSiemens * readVolts ** 2 * readSeconds,
  };
};

/** Devices that are written and read together: what they need lies in the cache, and is taken once. */
const atOnce = 1024;

interface Room {
  /** Number of each device's pulse. */
  readonly events: Uint32Array;
  readonly deviates: Float64Array;
  readonly targetsSiemens: Float32Array;
  readonly written: ProgrammedCells;
  readonly readings: Float32Array;
  readonly variances: Float32Array;
}

const roomFor = (devices: number): Room => ({
  events: new Uint32Array(devices),
  deviates: new Float64Array(2 * devices),
  targetsSiemens: new Float32Array(devices),
  written: emptyCells(devices),
  readings: new Float32Array(devices),
  variances: new Float32Array(devices),
});

/** A pulse for some devices; what it left of them stands in `written`. */
const pulseOnce = (
  which: Uint32Array,
  { device, cells, targetsSiemens, key }: Write,
  { events, deviates, targetsSiemens: room, written }: Room,
): void => {
  const targets = room.subarray(0, which.length);
  for (let k = 0; k < which.length; k++) {
    targets[k] = targetsSiemens[which[k]!]!;
    events[k] = cells.writes[which[k]!]!;
  }
  new CounterRandom(key.seed, [key.arrayId, key.index, 0]).pickGaussians(which, events, 2, deviates);
  device.program(targets, deviates, written);
  for (let k = 0; k < which.length; k++) {
    const d = which[k]!;
    cells.g0Siemens[d] = written.g0Siemens[k]!;
    cells.drift[d] = written.drift[k]!;
    cells.noise[d] = written.noise[k]!;
    cells.writes[d]!++;
  }
};

/** One read of each of these devices at age zero, as their pulse left them in `written`, S. */
const readOnce = (
  which: Uint32Array,
  { device, heldSiemens, key }: Write,
  { events, deviates, written, readings: siemens, variances: squares }: Room,
): Float32Array => {
  const readings = siemens.subarray(0, which.length);
  const variances = squares.subarray(0, which.length);
  device.conductances(written, 0, readings);
  if (device.hasReadNoise) {
    device.readVariances(written, 0, variances);
    for (let k = 0; k < which.length; k++) events[k]! += verifyEvent;
    new CounterRandom(key.seed, [key.arrayId, key.index, 0]).pickGaussians(which, events, 1, deviates);
  }
  for (let k = 0; k < which.length; k++) {
    if (variances[k]! > 0) readings[k]! += Math.sqrt(variances[k]!) * deviates[k]!;
  }
  if (heldSiemens.size === 0) return readings;
  for (let k = 0; k < which.length; k++) readings[k] = heldSiemens.get(which[k]!) ?? readings[k]!;
  return readings;
};

const checkVerify = ({ acceptanceSiemens, maxPulses }: WriteVerify): void => {
  if (!(acceptanceSiemens > 0)) {
    throw new RangeError(`acceptanceSiemens: expected a number > 0, got ${acceptanceSiemens}`);
  }
  if (!(Number.isInteger(maxPulses) && maxPulses >= 1 && maxPulses <= 1000)) {
    throw new RangeError(`maxPulses: expected an integer in 1 … 1000, got ${maxPulses}`);
  }
};
