import type { CalibrationMode } from "./calibration.ts";
import { type Converter, converter, maxAdcBits } from "./converters.ts";
import type { DeviceModel } from "./devices/device.ts";
import { checkFaults, drawFaults, type FaultMap, type FaultRates } from "./faults.ts";
import type { Arena } from "./kernels/arena.ts";
import type { MvmKernel } from "./kernels/kernel.ts";
import { referenceKernel } from "./kernels/reference.ts";
import { simdKernel } from "./kernels/simd.ts";
import { expectInteger, type TilePlace, tilesOf } from "./mapping.ts";
import { limitsOf } from "./packing.ts";
import { Tile, type TileScratch } from "./tile.ts";
import { codesOf, placesOf, type Windows } from "./windows.ts";
import type { PairWires } from "./wires/pair-wires.ts";

export interface ArraySpec {
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
  /** Tells the arrays of one chip apart, 0 … 65535. */
  readonly arrayId: number;
  /** Most rows of x in one call. */
  readonly maxBatch: number;
  readonly kernel: "reference" | "simd";
  /** Each output has inputs of its own, out of an image: for `mvmWindows` instead of `mvm`; one tile. */
  readonly windows?: Windows;
  /** Faults, as rates for all tiles or as a map for each; left out: none. */
  readonly faults?: FaultRates | readonly FaultMap[];
  /** Resistance of the wires; left out: none. */
  readonly wires?: PairWires;
}

/**
 * A weight matrix [outputs × inputs] on as many tiles as it takes. Tiles of one output add up digitally.
 *
 * All its memory is taken at construction: packed tiles and codes from `arena`, which must also hold x and y. With
 * the same weights, spec and inference numbers it gives the same bits, on either kernel.
 */
export class CrossbarArray {
  readonly outputs: number;
  readonly inputs: number;
  readonly tiles: readonly Tile[];
  readonly #maxBatch: number;
  readonly #kernel: MvmKernel;
  readonly #scratch: TileScratch;
  readonly #arena: Arena;
  readonly #inputTiles: number;
  readonly #windows: Windows | undefined;
  readonly #places: Int32Array;
  #clippedInputs = 0;

  /**
   * Program `weights`; the devices are left at age zero, uncompensated.
   * @throws RangeError when a weight is not finite, or a number of `spec` is outside its range
   */
  constructor(weights: Float32Array, outputs: number, inputs: number, spec: ArraySpec, arena: Arena) {
    const places = tilesOf(outputs, inputs, spec.tileOutputs, spec.tileInputs);
    checkSpec(weights, outputs, inputs, spec, places.length);
    this.outputs = outputs;
    this.inputs = inputs;
    this.#maxBatch = spec.maxBatch;
    const dac = converter("dac", spec.dacBits, spec.inputMax);
    this.#kernel = spec.kernel === "simd" ? simdKernel(arena) : referenceKernel;
    this.#arena = arena;
    this.#inputTiles = places.filter(({ outputFrom }) => outputFrom === 0).length;
    this.#scratch = scratchFor(places, spec, dac, arena);
    this.#windows = spec.windows;
    if (spec.windows) expectInteger("number of tiles", places.length, 1, 1);
    this.#places = spec.windows ? placesOf(spec.windows, outputs, inputs, arena) : new Int32Array();
    this.tiles = places.map(
      (place, index) =>
        new Tile(
          pieceOf(weights, inputs, place),
          place,
          {
            device: spec.device,
            dac,
            adcBits: spec.adcBits,
            outputMax: spec.tileOutputMax?.[index],
            seed: spec.seed,
            arrayId: spec.arrayId,
            index,
            kernel: this.#kernel,
            faults: faultsOf(spec, place, index),
            wires: spec.wires,
          },
          this.#scratch,
          arena,
        ),
    );
  }

  /** Whether each output has inputs of its own, on word lines of their own: an array for `mvmWindows`. */
  get hasOwnInputs(): boolean {
    return this.#windows !== undefined;
  }

  /** How many DAC inputs and ADC outputs were clipped in `mvm` since construction. */
  get saturation(): { inputs: number; outputs: number } {
    return { inputs: this.#clippedInputs, outputs: this.tiles.reduce((sum, tile) => sum + tile.clippedOutputs, 0) };
  }

  /** Bring all devices to an age, s; a function of the age, forwards or backwards. α stays as it was. */
  ageTo(ageSeconds: number): void {
    if (!(ageSeconds >= 0 && Number.isFinite(ageSeconds))) {
      throw new RangeError(`ageSeconds: expected a finite number ≥ 0, got ${ageSeconds}`);
    }
    for (const tile of this.tiles) tile.ageTo(ageSeconds);
  }

  /** Set the drift compensation of every tile, at the present age. */
  calibrate(mode: CalibrationMode): void {
    for (const tile of this.tiles) tile.calibrate(mode);
  }

  /**
   * `y[batch × outputs] = x[batch × inputs] · Wᵀ` through DAC, devices, read noise and ADC. Allocates nothing.
   * `inference` (0 … 2⁵³ − 1) numbers the call: the same number, the same noise. x and y are cut from the arena.
   * Row r of a call draws the same noise whatever the batch.
   */
  mvm(x: Float32Array, y: Float32Array, batch: number, inference: number): void {
    const { outputs, inputs } = this;
    if (!(batch >= 0 && batch <= this.#maxBatch)) {
      throw new RangeError(`batch: expected 0 … ${this.#maxBatch}, got ${batch}`);
    }
    this.#expectCut("x", x, batch * inputs);
    this.#expectCut("y", y, batch * outputs);
    const { input, dacScale } = this.#scratch;
    for (let column = 0; column < this.#inputTiles; column++) {
      const { place } = this.tiles[column]!;
      const from = place.inputFrom;
      this.#clippedInputs += this.#kernel.quantise(x, from, inputs, place.inputs, batch, dacScale, input);
      for (let t = column; t < this.tiles.length; t += this.#inputTiles) {
        const tile = this.tiles[t]!;
        tile.mvm(input, y, tile.place.outputFrom, outputs, batch, column > 0 ? 1 : 0, inference);
      }
    }
  }

  /**
   * The same for an array with `windows`: x is the image `[positions × stride]`, y `[rows × outputs]`. A DAC converts
   * each number of the image once. @throws RangeError for an array without windows
   */
  mvmWindows(x: Float32Array, y: Float32Array, inference: number): void {
    if (!this.#windows) throw new RangeError("windows: expected an array with windows, got one without");
    const { positions, stride, from, taps } = this.#windows;
    const rows = taps.length / this.inputs;
    this.#expectCut("x", x, positions * stride);
    this.#expectCut("y", y, rows * this.outputs);
    const { input, dacScale } = this.#scratch;
    const { outputs } = this;
    this.#clippedInputs += this.#kernel.quantise(x, from, stride, outputs, positions, dacScale, input);
    this.tiles[0]!.mvmWindows(input, this.#places, y, rows, inference);
  }

  #expectCut(name: string, array: Float32Array, length: number): void {
    if (array.length < length)
      throw new RangeError(`${name}: expected at least ${length} numbers, got ${array.length}`);
    if (this.#kernel.name === "simd" && array.buffer !== this.#arena.memory.buffer) {
      throw new RangeError(`${name}: expected an array cut from the arena, got one from elsewhere`);
    }
  }
}

const faultsOf = (spec: ArraySpec, { outputs, inputs }: TilePlace, index: number): FaultMap | undefined => {
  const { faults } = spec;
  if (faults === undefined) return undefined;
  if (!isMaps(faults)) return drawFaults(faults, outputs, inputs, { ...spec, index });
  const map = faults[index];
  if (map === undefined) throw new RangeError(`faults: expected a map for each tile, got none for tile ${index}`);
  checkFaults(map, outputs, inputs);
  return map;
};

const isMaps = (faults: FaultRates | readonly FaultMap[]): faults is readonly FaultMap[] => Array.isArray(faults);

const checkSpec = (
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
  expectInteger("adcBits", spec.adcBits, 2, maxAdcBits);
  expectInteger("arrayId", spec.arrayId, 0, 65535);
  expectInteger("maxBatch", spec.maxBatch, 1, 2 ** 24);
  expectInteger("number of tiles", tileCount, 1, 65536);
  if (spec.tileOutputMax && spec.tileOutputMax.length !== tileCount) {
    throw new RangeError(`tileOutputMax: expected ${tileCount} numbers, one a tile, got ${spec.tileOutputMax.length}`);
  }
  const { name, gMinSiemens, gMaxSiemens } = spec.device;
  if (!(gMinSiemens >= 0 && gMinSiemens < gMaxSiemens)) {
    throw new RangeError(`${name} gMinSiemens: expected 0 ≤ gMin < gMax = ${gMaxSiemens}, got ${gMinSiemens}`);
  }
};

const scratchFor = (places: readonly TilePlace[], spec: ArraySpec, dac: Converter, arena: Arena): TileScratch => {
  const inputs = Math.max(...places.map((place) => place.inputs));
  const outputs = Math.max(...places.map((place) => place.outputs));
  const codes = spec.windows ? codesOf(spec.windows, outputs, inputs).length : spec.maxBatch * (inputs + (inputs & 1));
  const dacScale = arena.float32(2);
  dacScale.set([dac.codeMax / dac.max, dac.codeMax]);
  return {
    dacScale,
    siemens: new Float32Array(2 * inputs * outputs),
    squareSiemens: new Float32Array(spec.device.hasReadNoise ? 2 * inputs * outputs : 0),
    ratios: new Float32Array(spec.wires ? 2 * inputs * outputs : 0),
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

const pieceOf = (weights: Float32Array, inputs: number, place: TilePlace): Float32Array => {
  const piece = new Float32Array(place.outputs * place.inputs);
  for (let o = 0; o < place.outputs; o++) {
    const from = (place.outputFrom + o) * inputs + place.inputFrom;
    piece.set(weights.subarray(from, from + place.inputs), o * place.inputs);
  }
  return piece;
};
