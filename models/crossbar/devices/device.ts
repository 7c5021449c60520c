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

/** What one pulse of a write and one read to verify it cost. */
export interface WritePulse {
  readonly pulseSeconds: number;
  readonly pulseJoules: number;
  readonly readSeconds: number;
  readonly readVolts: number;
}

/** Taken for devices that say nothing else: the order of magnitude of published arrays. An assumption. */
export const assumedPulse: WritePulse = { pulseSeconds: 1e-6, pulseJoules: 1e-10, readSeconds: 250e-9, readVolts: 0.2 };

/** How a device follows its temperature: `models/crossbar/temperature.ts`. */
export interface TemperatureModel {
  /** Energy that ageing must climb, eV: how much faster it is in the heat. */
  readonly ageingElectronvolts: number;
  /** Energy that conduction must climb, eV, of a device written to this part of g_max, 0 … 1. */
  conductionElectronvolts(part: number): number;
}

/** Read noise of power A² / f, of which the slow part may be followed from read to read. */
export interface OneOverF {
  /** How long a device of age zero has been fluctuating, s. */
  readonly bornSeconds: number;
  /** A of each device at an age, S: the standard deviation of noise over a bandwidth of a factor e. */
  amplitudes(cells: ProgrammedCells, ageSeconds: number, outSiemens: Float32Array): void;
}

/** A kind of memristor. Its functions are pure: chance comes in as an argument, time as an age. */
export interface DeviceModel {
  readonly name: string;
  /** Lowest and highest conductance that a write aims at, S. */
  readonly gMinSiemens: number;
  readonly gMaxSiemens: number;
  /** Conductances that its equations were fitted to, S: writes must not aim beyond. Left out: any. */
  readonly fittedSiemens?: readonly [from: number, to: number];
  /** Whether reads fluctuate; where not, `readVariances` gives zeros and is not asked. */
  readonly hasReadNoise: boolean;
  /**
   * Write `targetsSiemens[d]` into each device d of `cells`, by two numbers of N(0, 1) of its own: `deviates[2d]` and
   * `deviates[2d + 1]`. Here and below `cells` may have room for more devices than there are numbers.
   */
  program(targetsSiemens: Float32Array, deviates: Float64Array, cells: ProgrammedCells): void;
  /** Mean conductance of each device at an age, S. */
  conductances(cells: ProgrammedCells, ageSeconds: number, outSiemens: Float32Array): void;
  /** Variance of one read of each device about its mean at an age, S²; reads are independent of each other. */
  readVariances(cells: ProgrammedCells, ageSeconds: number, outSquareSiemens: Float32Array): void;
  /** Of devices that are not linear: A/V, A/V², A/V³ of the current I = c₁ V + c₂ V² + c₃ V³. Without it I = g V. */
  currentCoefficients?(siemens: number): readonly [first: number, second: number, third: number];
  /** Where its read noise is of that kind; `readVariances` has all of it. */
  readonly oneOverF?: OneOverF;
  /** Cost of its pulses; without it `assumedPulse`. */
  readonly pulse?: WritePulse;
  /** Without it the device is the same at every temperature. */
  readonly temperature?: TemperatureModel;
}

/** Cells of `devices` devices, all zero: what `program` writes into. */
export const emptyCells = (devices: number): ProgrammedCells => ({
  g0Siemens: new Float32Array(devices),
  drift: new Float32Array(devices),
  noise: new Float32Array(devices),
});

/** Current, A, and its slope, S, at a voltage. */
export const currentAt = (
  [first, second, third]: readonly [number, number, number],
  volts: number,
): { readonly amperes: number; readonly siemens: number } => ({
  amperes: first * volts + second * volts ** 2 + third * volts ** 3,
  siemens: first + 2 * second * volts + 3 * third * volts ** 2,
});
