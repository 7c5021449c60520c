import type { Pairing } from "./columns.ts";
import { type Converter, maxAdcBits, maxDetailedBits } from "./converters.ts";
import type { DetailedReading } from "./detailed-spec.ts";
import type { DeviceModel } from "./devices/device.ts";
import { checkFaults, drawFaults, type FaultMap, type FaultRates } from "./faults.ts";
import type { Arena } from "./kernels/arena.ts";
import type { Convention } from "./levels.ts";
import { type CellsShape, expectInteger, maxTileSide, type TilePlace } from "./mapping.ts";
import { limitsOf } from "./packing.ts";
import type { WriteVerify } from "./programming.ts";
import { checkSlices, type WeightSlices } from "./slices.ts";
import { mostSpareTiles } from "./spare-tile.ts";
import { keyOfDevices, spareArrayId } from "./tile-cells.ts";
import type { TileScratch } from "./tile-circuit.ts";
import { codesOf, type Windows } from "./windows.ts";
import type { PairWires } from "./wires/pair-wires.ts";

/** How a chip holds and reads weights, beside its device and sizes. What is left out is the plain way. */
export interface Hardware {
  /** Crossbars a tile, 1 … 16: so many pairs hold each weight together, driven as one, their currents joined. 1. */
  readonly pairs?: number;
  /** One-sided. */
  readonly pairing?: Pairing;
  /** Each column uses the whole range of its devices, with a digital factor of its own, instead of each tile. */
  readonly scaleByColumn?: boolean;
  /** Weights as digits on tiles of their own, each with converters of its own; digital sums. */
  readonly weightSlices?: WeightSlices;
  /** Columns of each tile beside those of its outputs, for `Tile.useSpare`, 0 … 256. None. */
  readonly spareColumns?: number;
  /** Tiles of the chip beside those of its weights, for `Tile.moveTo`: any of its tiles may move to one, 0 … 256. None. */
  readonly spareTiles?: number;
  /** Programming by pulses and reads in turn. Without it each device has one pulse. */
  readonly verify?: WriteVerify;
  /** The slow part of 1/f noise as a path that goes on from read to read, moved by `ageTo`. All noise is new in each. */
  readonly slowNoise?: boolean;
  /** Sign-magnitude. This and what follows is read in detail, far slower than the plain way: `DetailedCircuit`. */
  readonly converters?: Convention;
  /** Lowest level of plain converters, as a part of the highest, −1 … 0: 0 where values are never negative. −1. */
  readonly dacLow?: number;
  readonly adcLow?: number;
  /** Inputs as digits of so many bits, 1 … dacBits − 1, each read and converted by itself; digital sums. */
  readonly inputSliceBits?: number;
  /** Most current of a bit line, in devices of g_max at full input. No limit. */
  readonly columnClip?: number;
  /** Spread of what an ADC adds to each reading, as a part of its full scale. 0. */
  readonly outputNoise?: number;
  /** Divide each row of inputs by its largest before the DACs, and multiply after the ADCs. */
  readonly scaleInputs?: boolean;
  /** Read a row again with inputs of half the size, until no output is clipped. */
  readonly retryClipped?: boolean;
  /** How inputs come to devices that are not linear. Amplitude. */
  readonly inputCoding?: "amplitude" | "pulse-width";
  /** Full scale of the DACs, V, for devices that are not linear. So low that they are. */
  readonly readVolts?: number;
}

/** All keys of `Hardware`. */
export const hardwareKeys: readonly string[] = Object.keys({
  ...{ pairs: 0, pairing: 0, scaleByColumn: 0, weightSlices: 0, spareColumns: 0, spareTiles: 0 },
  ...{ verify: 0, slowNoise: 0 },
  ...{ converters: 0, dacLow: 0, adcLow: 0, inputSliceBits: 0, columnClip: 0, scaleInputs: 0, retryClipped: 0 },
  ...{ inputCoding: 0, readVolts: 0, outputNoise: 0 },
} satisfies Record<keyof Hardware, 0>);

/** How tiles are read in detail; undefined: the plain way. */
export const readingOf = (device: DeviceModel, spec: Hardware): DetailedReading | undefined => {
  const { converters, inputSliceBits, columnClip, scaleInputs = false, retryClipped = false, readVolts } = spec;
  const { outputNoise = 0 } = spec;
  const curves = device.currentCoefficients !== undefined && readVolts !== undefined;
  const isPlain = converters === "plain";
  const asked = isPlain || inputSliceBits !== undefined || columnClip !== undefined;
  if (!(asked || scaleInputs || retryClipped || curves || outputNoise !== 0)) return undefined;
  return {
    convention: converters ?? "sign-magnitude",
    ...{ dacLow: isPlain ? (spec.dacLow ?? -1) : -1, adcLow: isPlain ? (spec.adcLow ?? -1) : -1 },
    ...{ inputSliceBits, columnClip, scaleInputs, retryClipped, outputNoise },
    inputs: spec.inputCoding ?? "amplitude",
    readVolts: curves ? readVolts : undefined,
  };
};

export interface ArraySpec extends Hardware {
  readonly device: DeviceModel;
  /** 2 … 12, sign among them. */
  readonly dacBits: number;
  /** 2 … 16, sign among them. */
  readonly adcBits: number;
  /** Most inputs and outputs of a tile, 1 … 256. */
  readonly tileInputs: number;
  readonly tileOutputs: number;
  /** Full scale of the DACs, in activation units. */
  readonly inputMax: number;
  /**
   * Full scale of each tile's ADC, in units of W·x, in tile order (output tile outer, input tile inner).
   * Without it: the largest sum that the programmed tile can give, so that nothing clips but noise.
   */
  readonly tileOutputMax?: readonly number[];
  readonly seed: number;
  /** Tells the arrays of one chip apart, 0 … 65534. */
  readonly arrayId: number;
  /** Most rows of x in one call. */
  readonly maxBatch: number;
  readonly kernel: "reference" | "simd";
  /** Each output has inputs of its own, out of an image: for `mvmWindows` instead of `mvm`; one tile. */
  readonly windows?: Windows;
  /** Whether the pair of an output and an input was formed; left out: all are. */
  readonly isFormed?: (output: number, input: number) => boolean;
  /** Faults, as rates for all tiles or as a map for each; left out: none. */
  readonly faults?: FaultRates | readonly FaultMap[];
  /** Resistance of the wires; left out: none. */
  readonly wires?: PairWires;
}

/** The devices of a tile of the array. */
export const shapeOf = ({ spareColumns = 0, pairs = 1 }: ArraySpec, { outputs, inputs }: TilePlace): CellsShape => ({
  columns: outputs + spareColumns,
  inputs,
  crossbars: pairs,
});

const devicesIn = ({ columns, inputs, crossbars }: CellsShape): number => 2 * columns * inputs * crossbars;

/** The faults of a tile. @throws RangeError as `drawFaults` and `checkFaults` */
export const faultsOf = (spec: ArraySpec, place: TilePlace, index: number): FaultMap | undefined => {
  const { faults } = spec;
  const shape = shapeOf(spec, place);
  if (faults === undefined) return undefined;
  if (!isMaps(faults)) return drawFaults(faults, shape, { ...spec, index });
  const map = faults[index];
  if (map === undefined) throw new RangeError(`faults: expected a map for each tile, got none for tile ${index}`);
  checkFaults(map, shape);
  return map;
};

/** The faults of a spare tile of the chip where a tile would use it: by rates as all have them, by maps none. */
export const spareFaultsOf =
  ({ faults, seed, arrayId, ...spec }: ArraySpec, place: TilePlace) =>
  (spare: number): FaultMap | undefined =>
    faults === undefined || isMaps(faults)
      ? undefined
      : drawFaults(
          faults,
          shapeOf({ seed, arrayId, ...spec }, place),
          keyOfDevices({ seed, arrayId, index: 0 }, spare),
        );

/** Devices of a tile that were never formed: those of pairs that `isFormed` denies. Spare columns have all. */
export const absentOf = ({ isFormed, ...spec }: ArraySpec, place: TilePlace): Uint32Array => {
  if (isFormed === undefined) return new Uint32Array();
  const { columns, crossbars } = shapeOf(spec, place);
  const absent: number[] = [];
  for (let k = 0; k < crossbars; k++) {
    for (let o = 0; o < place.outputs; o++) {
      for (let i = 0; i < place.inputs; i++) {
        if (isFormed(place.outputFrom + o, place.inputFrom + i)) continue;
        const pair = (k * columns + o) * place.inputs + i;
        absent.push(2 * pair, 2 * pair + 1);
      }
    }
  }
  return Uint32Array.from(absent);
};

const isMaps = (faults: FaultRates | readonly FaultMap[]): faults is readonly FaultMap[] => Array.isArray(faults);

/** @throws RangeError for the first number that cannot be */
export const checkSpec = (
  weights: Float32Array,
  outputs: number,
  inputs: number,
  spec: ArraySpec,
  tileCount: number,
): void => {
  if (weights.length !== outputs * inputs) {
    throw new RangeError(`weights: expected [${outputs} × ${inputs}] numbers, got ${weights.length}`);
  }
  const bad = weights.findIndex((w) => !Number.isFinite(w));
  if (bad >= 0) throw new RangeError(`weights[${bad}]: expected a finite number, got ${weights[bad]}`);
  expectInteger("adcBits", spec.adcBits, 2, readingOf(spec.device, spec) ? maxDetailedBits : maxAdcBits);
  expectInteger("arrayId", spec.arrayId, 0, spareArrayId - 1);
  expectInteger("maxBatch", spec.maxBatch, 1, 2 ** 24);
  expectInteger("number of tiles", tileCount * (spec.weightSlices?.count ?? 1), 1, 65536);
  expectInteger("spareColumns", spec.spareColumns ?? 0, 0, maxTileSide);
  expectInteger("spareTiles", spec.spareTiles ?? 0, 0, mostSpareTiles);
  expectInteger("pairs", spec.pairs ?? 1, 1, 16);
  if (spec.weightSlices) checkSlices(spec.weightSlices);
  checkReading(spec);
  if (spec.tileOutputMax && spec.tileOutputMax.length !== tileCount) {
    throw new RangeError(`tileOutputMax: expected ${tileCount} numbers, one a tile, got ${spec.tileOutputMax.length}`);
  }
  const { name, gMinSiemens, gMaxSiemens, fittedSiemens } = spec.device;
  if (fittedSiemens && !(gMinSiemens >= fittedSiemens[0] && gMaxSiemens <= fittedSiemens[1])) {
    const [from, to] = fittedSiemens;
    throw new RangeError(
      `${name} range: expected within its fit, ${from} … ${to} S, got ${gMinSiemens} … ${gMaxSiemens}`,
    );
  }
  if (!(gMinSiemens >= 0 && gMinSiemens < gMaxSiemens)) {
    throw new RangeError(`${name} gMinSiemens: expected 0 ≤ gMin < gMax = ${gMaxSiemens}, got ${gMinSiemens}`);
  }
};

const checkReading = (spec: ArraySpec): void => {
  const reading = readingOf(spec.device, spec);
  if (!reading) return;
  const { convention, inputSliceBits, columnClip, readVolts, inputs, dacLow, adcLow } = reading;
  for (const [name, low] of Object.entries({ dacLow, adcLow })) {
    if (!(low >= -1 && low <= 0)) throw new RangeError(`${name}: expected a number −1 … 0, got ${low}`);
  }
  if (inputSliceBits !== undefined) {
    expectInteger("inputSliceBits", inputSliceBits, 1, spec.dacBits - 1);
    if (convention === "plain") throw new RangeError("inputSliceBits: expected sign-magnitude converters, got plain");
  }
  for (const [name, value] of Object.entries({ columnClip, readVolts })) {
    if (value !== undefined && !(value > 0)) throw new RangeError(`${name}: expected a number > 0, got ${value}`);
  }
  const { outputNoise } = reading;
  if (!(outputNoise >= 0 && outputNoise <= 1)) {
    throw new RangeError(`outputNoise: expected a part of full scale, 0 … 1, got ${outputNoise}`);
  }
  if (spec.windows) throw new RangeError("windows: expected the plain way of reading, got one in detail");
  if (readVolts === undefined || !spec.wires) return;
  if (spec.wires.layout !== "separate" || inputs !== "amplitude") {
    throw new RangeError("readVolts: expected amplitudes and separate wires where curves meet wires, got others");
  }
};

/** Room for the largest of the tiles. */
export const scratchFor = (
  places: readonly TilePlace[],
  spec: ArraySpec,
  dac: Converter,
  arena: Arena,
): TileScratch => {
  const inputs = Math.max(...places.map((place) => place.inputs));
  const outputs = Math.max(...places.map((place) => place.outputs));
  const codes = spec.windows ? codesOf(spec.windows, outputs, inputs).length : spec.maxBatch * (inputs + (inputs & 1));
  const devices = Math.max(...places.map((place) => devicesIn(shapeOf(spec, place))));
  const dacScale = arena.float32(2);
  dacScale.set([dac.codeMax / dac.max, dac.codeMax]);
  return {
    dacScale,
    siemens: new Float32Array(devices),
    squareSiemens: new Float32Array(spec.device.hasReadNoise ? devices : 0),
    ratios: new Float32Array(spec.wires ? devices : 0),
    input: {
      codes: arena.int16(codes),
      squares: spec.device.hasReadNoise ? arena.int16(codes) : undefined,
      squareShift: limitsOf(dac, inputs).squareShift,
    },
    x: arena.float32(inputs),
    y: arena.float32(outputs),
    keys: arena.int32(2),
  };
};

/** The weights of a tile. */
export const pieceOf = (weights: Float32Array, inputs: number, place: TilePlace): Float32Array => {
  const piece = new Float32Array(place.outputs * place.inputs);
  for (let o = 0; o < place.outputs; o++) {
    const from = (place.outputFrom + o) * inputs + place.inputFrom;
    piece.set(weights.subarray(from, from + place.inputs), o * place.inputs);
  }
  return piece;
};
