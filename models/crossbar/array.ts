import {
  type ArraySpec,
  absentOf,
  checkSpec,
  faultsOf,
  pieceOf,
  readingOf,
  scratchFor,
  shapeOf,
  spareFaultsOf,
} from "./array-spec.ts";
import type { CalibrationMode } from "./calibration.ts";
import { converter, maxDetailedBits } from "./converters.ts";
import { DetailedCircuit } from "./detailed-circuit.ts";
import type { Arena } from "./kernels/arena.ts";
import type { MvmKernel } from "./kernels/kernel.ts";
import { referenceKernel } from "./kernels/reference.ts";
import { simdKernel } from "./kernels/simd.ts";
import { expectInteger, tilesOf } from "./mapping.ts";
import { weightPieces } from "./slices.ts";
import { checkCelsius, referenceCelsius } from "./temperature.ts";
import { Tile } from "./tile.ts";
import { TileCircuit, type TileScratch } from "./tile-circuit.ts";
import type { TileSpec } from "./tile-spec.ts";
import type { ArrayState } from "./tile-state.ts";
import { placesOf, type Windows } from "./windows.ts";

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
  /** The tiles that share inputs: of all outputs, and of all digits of their weights. None where they are read in detail. */
  readonly #byInput: readonly (readonly TileCircuit[])[];
  readonly #detailed: readonly DetailedCircuit[];
  readonly #windows: Windows | undefined;
  readonly #places: Int32Array;
  #clippedInputs = 0;
  /** The memory of the first product: where each input has one place, of all. */
  #last: { readonly x: Float32Array; readonly y: Float32Array } | undefined;
  #atSeconds: number;
  #celsius: number;

  /**
   * Program `weights`; the devices are left at age zero, uncompensated. Or take over a `state` of an array of the same
   * weights and spec: then nothing is programmed.
   * @throws RangeError when a weight is not finite, a number of `spec` is outside its range or the state does not fit
   */
  constructor(
    weights: Float32Array,
    outputs: number,
    inputs: number,
    spec: ArraySpec,
    arena: Arena,
    state?: ArrayState,
  ) {
    const places = tilesOf(outputs, inputs, spec.tileOutputs, spec.tileInputs);
    checkSpec(weights, outputs, inputs, spec, places.length);
    this.outputs = outputs;
    this.inputs = inputs;
    this.#atSeconds = state?.atSeconds ?? 0;
    this.#celsius = state?.celsius ?? referenceCelsius;
    checkTime(this.#atSeconds, this.#celsius);
    this.#maxBatch = spec.maxBatch;
    const reading = readingOf(spec.device, spec);
    const dac = converter("dac", spec.dacBits, spec.inputMax, reading && maxDetailedBits);
    this.#kernel = spec.kernel === "simd" ? simdKernel(arena) : referenceKernel;
    this.#arena = arena;
    this.#scratch = scratchFor(places, spec, dac, arena);
    this.#windows = spec.windows;
    if (spec.windows) expectInteger("number of tiles", places.length * (spec.weightSlices?.count ?? 1), 1, 1);
    this.#places = spec.windows ? placesOf(spec.windows, outputs, inputs, arena) : new Int32Array();
    const slices = spec.weightSlices?.count ?? 1;
    if (state) expectInteger("state tiles", state.tiles.length, places.length * slices, places.length * slices);
    this.tiles = places.flatMap((place, at) => {
      const pieces = weightPieces(
        pieceOf(weights, inputs, place),
        place.outputs,
        spec.scaleByColumn ?? false,
        spec.weightSlices,
      );
      return pieces.map((piece, slice) => {
        const index = at * slices + slice;
        const range = spec.tileOutputMax?.[at];
        const tileSpec: TileSpec = {
          ...{ device: spec.device, dac, adcBits: spec.adcBits, kernel: this.#kernel },
          outputMax: range === undefined ? undefined : range * piece.rangeShare,
          ...{ seed: spec.seed, arrayId: spec.arrayId, index },
          faults: faultsOf(spec, place, index),
          wires: spec.wires,
          shape: shapeOf(spec, place),
          ...{ spareTiles: spec.spareTiles ?? 0, spareFaults: spareFaultsOf(spec, place) },
          absent: absentOf(spec, place),
          pairing: spec.pairing ?? "one-sided",
          ...{ verify: spec.verify, reading, slowNoise: spec.slowNoise ?? false },
          ...{ atSeconds: this.#atSeconds, celsius: this.#celsius },
        };
        return new Tile(piece, place, tileSpec, this.#scratch, arena, state?.tiles[index]);
      });
    });
    const circuits = this.tiles.map(({ circuit }) => circuit);
    const plain = circuits.filter((circuit) => circuit instanceof TileCircuit);
    this.#detailed = circuits.filter((circuit) => circuit instanceof DetailedCircuit);
    this.#byInput = places
      .filter(({ outputFrom }) => outputFrom === 0)
      .map(({ inputFrom }) => plain.filter(({ place }) => place.inputFrom === inputFrom));
  }

  /** Whether each output has inputs of its own, on word lines of their own: an array for `mvmWindows`. */
  get hasOwnInputs(): boolean {
    return this.#windows !== undefined;
  }

  /** How many DAC inputs and ADC outputs were clipped in `mvm` since construction. */
  get saturation(): { inputs: number; outputs: number } {
    return {
      inputs: this.#clippedInputs + this.#detailed.reduce((sum, { clippedInputs }) => sum + clippedInputs, 0),
      outputs: this.tiles.reduce((sum, { circuit }) => sum + circuit.clippedOutputs, 0),
    };
  }

  /** Chip time in seconds at the reference temperature, 0 when the array was first programmed, and °C. */
  get atSeconds(): number {
    return this.#atSeconds;
  }
  get celsius(): number {
    return this.#celsius;
  }

  /** All that the array is beside its weights, of plain numbers and typed arrays: see `Tile.state`. */
  state(as?: "copy" | "view"): ArrayState {
    return { atSeconds: this.#atSeconds, celsius: this.#celsius, tiles: this.tiles.map((tile) => tile.state(as)) };
  }

  /**
   * Bring all devices to a chip time, in seconds at the reference temperature (`secondsAtReference`), and to a
   * temperature of reading; a function of both, forwards or back to the last write. Without rewrites the chip time is
   * the age. α stays as it was.
   * @throws RangeError for a time before the last write, or what is no time or temperature
   */
  ageTo(atSeconds: number, celsius = this.#celsius): void {
    checkTime(atSeconds, celsius);
    for (const tile of this.tiles) tile.ageTo(atSeconds, celsius);
    [this.#atSeconds, this.#celsius] = [atSeconds, celsius];
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
    this.#last ??= { x, y };
    if (this.#detailed.length > 0) {
      this.#mvmInDetail(x, y, batch, inference);
      return;
    }
    const { input, dacScale } = this.#scratch;
    for (let column = 0; column < this.#byInput.length; column++) {
      const tiles = this.#byInput[column]!;
      const { place } = tiles[0]!;
      this.#clippedInputs += this.#kernel.quantise(x, place.inputFrom, inputs, place.inputs, batch, dacScale, input);
      let done = -1;
      for (let t = 0; t < tiles.length; t++) {
        const { outputFrom } = tiles[t]!.place;
        const accumulate = column > 0 || outputFrom === done ? 1 : 0;
        tiles[t]!.mvm(input, y, outputFrom, outputs, batch, accumulate, inference);
        done = outputFrom;
      }
    }
  }

  /**
   * The row of x that the last product took, of an array whose products all have one place in memory, as those of a dense
   * layer have. A copy. @throws RangeError before one
   */
  lastInput(): Float32Array {
    if (this.#last === undefined) throw new RangeError("lastInput: expected a product before, got none");
    return this.#last.x.slice(0, this.inputs);
  }

  /**
   * One product by itself, out of any memory into any: W x through the very path of `mvm`, in the memory that its products
   * have. @throws RangeError before one
   */
  multiply(x: Float32Array, y: Float32Array, inference: number): void {
    if (this.#last === undefined) throw new RangeError("multiply: expected a product before, got none");
    const room = this.#last;
    room.x.set(x.subarray(0, this.inputs));
    this.mvm(room.x, room.y, 1, inference);
    y.set(room.y.subarray(0, this.outputs));
  }

  #mvmInDetail(x: Float32Array, y: Float32Array, batch: number, inference: number): void {
    let done = -1;
    for (const tile of this.#detailed) {
      const { inputFrom, outputFrom } = tile.place;
      const accumulate = outputFrom === done ? 1 : 0; // tiles of an output follow each other
      tile.mvm(x, inputFrom, this.inputs, y, outputFrom, this.outputs, batch, accumulate, inference);
      done = outputFrom;
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
    this.#byInput[0]![0]!.mvmWindows(input, this.#places, y, rows, inference);
  }

  #expectCut(name: string, array: Float32Array, length: number): void {
    if (array.length < length)
      throw new RangeError(`${name}: expected at least ${length} numbers, got ${array.length}`);
    if (this.#kernel.name === "simd" && array.buffer !== this.#arena.memory.buffer) {
      throw new RangeError(`${name}: expected an array cut from the arena, got one from elsewhere`);
    }
  }
}

const checkTime = (atSeconds: number, celsius: number): void => {
  checkCelsius(celsius);
  if (!(atSeconds >= 0 && Number.isFinite(atSeconds))) {
    throw new RangeError(`ageSeconds: expected a finite number ≥ 0, got ${atSeconds}`);
  }
};
