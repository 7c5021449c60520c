import type { CounterRandom } from "../../random.ts";

/**
 * What a write leaves behind in each device, and all that is known of it later: three numbers a device, whose
 * meaning beside g₀ is the device model's own. Both devices of a pair are kept: plus at 2p, minus at 2p + 1.
 */
export interface ProgrammedCells {
  /** Conductance at age zero, S. */
  readonly g0Siemens: Float32Array;
  /** How this device changes with age: for PCM the exponent ν. */
  readonly drift: Float32Array;
  /** How this device fluctuates when read: for PCM Q, the relative strength of its 1/f noise. */
  readonly noise: Float32Array;
}

/** A kind of memristor. Its functions are pure: chance comes in as an argument, time as an age. */
export interface DeviceModel {
  readonly name: string;
  /** Lowest and highest conductance that a write aims at, S. */
  readonly gMinSiemens: number;
  readonly gMaxSiemens: number;
  /** Whether reads fluctuate; where not, `readVariances` gives zeros and is not asked. */
  readonly hasReadNoise: boolean;
  /**
   * Write `targetsSiemens[d]` into each device d of `cells`. Device d draws the numbers 2d and 2d + 1 of `random`
   * and no others, so that it gets the same ones whatever devices are written beside it.
   */
  program(targetsSiemens: Float32Array, random: CounterRandom, cells: ProgrammedCells): void;
  /** Mean conductance of each device at an age, S. */
  conductances(cells: ProgrammedCells, ageSeconds: number, outSiemens: Float32Array): void;
  /** Variance of one read of each device about its mean at an age, S²; reads are independent of each other. */
  readVariances(cells: ProgrammedCells, ageSeconds: number, outSquareSiemens: Float32Array): void;
  /** Current at a voltage, A, of devices that are not linear; without it I = g V. */
  currentAmperes?(siemens: number, volts: number): number;
}

/** Cells of `devices` devices, all zero: what `program` writes into. */
export const emptyCells = (devices: number): ProgrammedCells => ({
  g0Siemens: new Float32Array(devices),
  drift: new Float32Array(devices),
  noise: new Float32Array(devices),
});
