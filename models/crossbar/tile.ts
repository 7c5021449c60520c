import { type Acting, actingAt } from "./acting.ts";
import { type CalibrationMode, firstRanges, rangesFor, responseOf, weightsRead } from "./calibration.ts";
import type { TileCells } from "./cells.ts";
import { devicesOf, inOwnColumns, outputsOf, outputsWith, sparesBeside, targetsOf } from "./columns.ts";
import { DetailedCircuit } from "./detailed-circuit.ts";
import { detailedSpec } from "./detailed-spec.ts";
import { DriftReference } from "./drift-reference.ts";
import type { Arena } from "./kernels/arena.ts";
import { type CellsShape, expectInteger, type TilePlace } from "./mapping.ts";
import { noWrites, type WriteCount, type WriteVerify } from "./programming.ts";
import { readEvent, readRandom } from "./read-keys.ts";
import type { WeightPiece } from "./slices.ts";
import { SpareTile } from "./spare-tile.ts";
import { cellsOf } from "./tile-cells.ts";
import { TileCircuit, type TileScratch } from "./tile-circuit.ts";
import type { TileSpec } from "./tile-spec.ts";
import { checkState, stateOf, type TileState } from "./tile-state.ts";

/**
 * A tile: one crossbar with its converters. It holds a weight matrix [outputs × inputs] and multiplies by it.
 *
 *   G⁺, G⁻ = g_min + β · max(±W, 0)        β = (g_max − g_min) / max|W|     differential pairs
 *   v      = DAC(x)                        [inputs]
 *   i      = (G⁺ − G⁻) v + √(Σ σ² v²) ξ    [outputs]                        each read draws ξ of N(0, 1) anew
 *   y      = α · ADC(i / β) + δ            [outputs]
 *
 * With resistive wires G is what the devices act as through them (`wires/`), made once for each age; σ is scaled by the
 * same ratio, that is, noise is taken at the voltages that the devices have without it.
 * σ² is the sum of both devices' read variances, so that i has the distribution that noise in every single device
 * gives. α is the drift compensation: 1 when programmed, raised by calibration as the cells drift; δ is 0 unless `rescale`
 * gave an output a digital offset. The full scale of the ADC stays where it was when programmed, so that a drifted tile
 * uses less of it, until `setRange` says otherwise.
 */
export class Tile {
  readonly place: TilePlace;
  readonly shape: CellsShape;
  /** What programming took; nothing where a state was taken over. */
  readonly programmed: WriteCount;
  readonly #spec: TileSpec;
  readonly #scratch: TileScratch;
  readonly #weightsPerSiemens: Float64Array;
  #cells: TileCells;
  #spare: number | undefined;
  /** Converters, products and α: ranges and factors may be set here. */
  readonly circuit: TileCircuit | DetailedCircuit;
  /** The column that each output stands in: its own, or a spare. */
  readonly #columns: Int32Array;
  #atSeconds: number;
  #celsius: number;
  #reference: DriftReference;

  /**
   * Program weights [outputs × inputs], finite, or take over a `state` that was left by the same weights and spec. The
   * packed tile is cut from `arena`.
   */
  constructor(
    { weights, fullScale }: WeightPiece,
    place: TilePlace,
    spec: TileSpec,
    scratch: TileScratch,
    arena: Arena,
    state?: TileState,
  ) {
    const { device, shape } = spec;
    if (state) checkState(state, place.outputs, shape, spec.spareTiles);
    this.place = place;
    this.shape = shape;
    this.#spec = spec;
    this.#scratch = scratch;
    this.#atSeconds = spec.atSeconds;
    this.#celsius = spec.celsius;
    this.#columns = state?.columns.slice() ?? Int32Array.from({ length: place.outputs }, (_, o) => o);
    const weightsPerSiemens = fullScale.map((weight) => weight / (device.gMaxSiemens - device.gMinSiemens));
    this.#weightsPerSiemens = weightsPerSiemens;
    this.#spare = state?.spare;
    const byWeights = targetsOf(weights, weightsPerSiemens, device, spec.pairing, shape, this.#columns);
    this.#cells = cellsOf(spec, byWeights, state);
    this.programmed = state ? noWrites : this.#cells.write("all", spec.atSeconds, spec.verify);
    const more = { hasReadNoise: device.hasReadNoise, weightsPerSiemens };
    this.circuit = spec.reading
      ? new DetailedCircuit(place, detailedSpec({ ...spec, ...more }, spec.reading, this.#columns, weights))
      : new TileCircuit(place, { ...spec, ...more }, scratch, arena);
    this.#reference = this.#begin(state);
  }

  /** The drift compensation of each output. A copy. */
  get alpha(): Float64Array {
    return this.circuit.alpha.slice();
  }

  /**
   * Bring the tile to a chip time and a temperature: a function of what was written and of both, whatever came between.
   * @throws RangeError before the last write
   */
  ageTo(atSeconds: number, celsius = this.#celsius): void {
    if (atSeconds === this.#atSeconds && celsius === this.#celsius) return;
    const before = [this.#atSeconds, this.#celsius] as const;
    [this.#atSeconds, this.#celsius] = [atSeconds, celsius];
    try {
      this.circuit.pack(this.#acting());
    } catch (error) {
      [this.#atSeconds, this.#celsius] = before;
      throw error;
    }
  }

  /**
   * Write devices anew at the present time, by number as in `TileCells`. Where all are written, the response that drift
   * is measured by is measured anew, α is 1, δ 0 and the ranges are as when programmed. Else all stay as they are,
   * and the response of the outputs that were written is brought to what makes it so: `DriftReference.keep`.
   * @param targets what each of these is written to from now on, S, kept within the range; else what it was before
   */
  rewrite(devices: ArrayLike<number> | "all", verify?: WriteVerify, targets?: ArrayLike<number>): WriteCount {
    const before = devices === "all" ? undefined : this.#response();
    if (targets) this.#cells.retarget(devices, targets);
    const count = this.#cells.write(devices, this.#atSeconds, verify);
    if (devices === "all") {
      const [outputMax, calibrationMax] = this.#reference.ranges;
      this.#reference = this.#begin({ outputMax, calibrationMax });
    } else {
      this.circuit.pack(this.#acting());
      this.#reference.keep(outputsWith(devices, this.shape, this.#columns), before!, this.#response());
    }
    return count;
  }

  /** Let devices, by number, hold other weights: theirs of all devices', S. `rewrite` writes them so. */
  teach(devices: Iterable<number>, siemens: Float32Array): void {
    this.#cells.teach(devices, siemens);
  }

  /**
   * Write the weights of an output into a spare column, in all crossbars, over its α, and take its current from there.
   * @param spare 0 … spare columns − 1, not in use
   */
  useSpare(output: number, spare: number, verify?: WriteVerify): WriteCount {
    const { shape } = this.#spec;
    const { outputs } = this.place;
    expectInteger("output", output, 0, outputs - 1);
    expectInteger("spare", spare, 0, shape.columns - outputs - 1);
    const column = outputs + spare;
    if (this.#columns.includes(column)) throw new RangeError(`spare: expected one that is free, got ${spare}`);
    const before = this.#response();
    const to = devicesOf(column, shape);
    this.#cells.moveWeights(devicesOf(this.#columns[output]!, shape), to, this.circuit.alpha[output]!);
    this.#columns[output] = column;
    const count = this.#cells.write(to, this.#atSeconds, verify);
    this.circuit.pack(this.#acting());
    this.#reference.keep([output], before, this.#response());
    return count;
  }

  /** A spare tile of the chip, to hold what this one holds. @throws RangeError for one that there is not */
  spareTile(spare: number): SpareTile {
    const weights = inOwnColumns(this.#cells.weightSiemens, this.shape, this.#columns, this.#spec.device.gMinSiemens);
    return new SpareTile(spare, weights, this.#spec, this.#atSeconds, this.#celsius);
  }

  /**
   * Write the weights onto the devices of a spare tile, and stand on it from now on; all else is set as when a tile is
   * programmed. Reads in products draw the numbers that they would have drawn.
   */
  moveTo({ number, cells }: SpareTile, verify?: WriteVerify): WriteCount {
    cells.isTaught = this.#cells.isTaught;
    [this.#cells, this.#spare] = [cells, number];
    this.#columns.set([...this.#columns.keys()]);
    cells.retarget("all", cells.weightSiemens);
    const count = cells.write("all", this.#atSeconds, verify);
    this.#reference = this.#begin();
    return count;
  }

  /** Number of the spare tile that it stands on; undefined: it stands where it was programmed first. */
  get spare(): number | undefined {
    return this.#spare;
  }

  /** Numbers of the spare columns that no output stands in, as `useSpare` takes them. */
  get freeSpares(): readonly number[] {
    return sparesBeside(this.#columns, this.shape);
  }

  /** All that the tile is beside its weights. A copy; a `view` shares what is known of devices, until they change. */
  state(as: "copy" | "view" = "copy"): TileState {
    return stateOf(this.#cells, this.circuit, this.#reference, this.#columns, this.#spare, as);
  }

  /** What each device is written to, or what it should conduct as the weights say, S, by number: as it is, and changes. */
  targetsSiemens(of: "writes" | "weights" = "writes"): Readonly<Float32Array> {
    return of === "writes" ? this.#cells.targetsSiemens : this.#cells.weightSiemens;
  }
  /** The same of the outputs' pairs, in the order of `conductancesAt`. */
  targetsOfOutputs(): Float32Array {
    return outputsOf(this.#cells.targetsSiemens, this.shape, this.#columns, 1).slice();
  }

  /** The column that an output stands in: spares come after the outputs' own. Its devices: `devicesOf`. */
  columnOf(output: number): number {
    expectInteger("output", output, 0, this.place.outputs - 1);
    return this.#columns[output]!;
  }

  /**
   * Read every device by itself, S, at the present time, with its noise and through a converter of the ADC's bits.
   * `moment`, an integer ≥ 0, tells reads apart: the same one gives the same readings.
   */
  readDevices(moment: number): Float32Array {
    const random = readRandom(this.#spec, moment, readEvent.devices, this.#scratch.keys);
    const steps = (1 << (this.#spec.adcBits - 1)) - 1;
    return this.#cells.read(this.#atSeconds, this.#celsius, steps, random, this.#scratch.squareSiemens);
  }

  /**
   * Read every weight by one-hot inputs, in units of W, through DAC, noise and the ADC's range for calibration: what
   * pairs and wires make of it, without α. [outputs × inputs]
   */
  readWeights(moment: number): Float32Array {
    return weightsRead(this.circuit, this.place, this.#spec.dac.max, moment);
  }

  /**
   * Set α from the responses to one-hot inputs, when programmed and now; δ is 0 from then on. The reads are repeatable,
   * keyed by the time.
   */
  calibrate(mode: CalibrationMode): void {
    this.circuit.setAlpha(mode === "none" ? 1 : this.#reference.alphaOf(mode, this.#response()));
    this.circuit.setOffsets(new Float32Array(this.place.outputs));
  }

  /** Multiply α of each output by a factor, and give it an offset: y ← γ y + δ. @throws RangeError as the circuit */
  rescale(factors: ArrayLike<number>, offsets: ArrayLike<number>): void {
    this.circuit.setAlpha(this.alpha.map((alpha, o) => alpha * factors[o]!));
    this.circuit.setOffsets(this.circuit.offsets.map((before, o) => factors[o]! * before + offsets[o]!));
  }

  /** Choose the ranges of the ADC anew, as `rangesFor` says, or as programmed. */
  setRange(largest: number | undefined | "programmed"): void {
    const programmed = this.#reference.ranges;
    this.circuit.setRanges(
      ...(largest === "programmed" ? programmed : rangesFor(programmed, largest, this.circuit.alpha)),
    );
  }

  /**
   * Conductances that outputs act with at a chip time, S, without wires: plus and minus of each pair in turn, the mean of
   * all crossbars, [outputs × inputs × 2]. A copy.
   */
  conductancesAt(atSeconds: number): Float32Array {
    return outputsOf(this.#siemensAt(atSeconds), this.shape, this.#columns, 1).slice();
  }

  /** Variance of one read of each of these at a chip time, S², in the same order. A copy. */
  readVariancesAt(atSeconds: number): Float32Array {
    const squares = new Float32Array(this.#cells.targetsSiemens.length);
    this.#cells.readVariances(atSeconds, this.#celsius, squares);
    return outputsOf(squares, this.shape, this.#columns, 2).slice();
  }

  /** Sum of the conductances of all devices of the tile, spares and all, at a chip time, S. */
  totalSiemensAt(atSeconds: number): number {
    return this.#siemensAt(atSeconds).reduce((sum, g) => sum + g, 0);
  }
  /** Pairs of the tile that there are, spares and all. */
  get formedPairs(): number {
    return this.#cells.formedPairs;
  }

  #siemensAt(atSeconds: number): Float32Array {
    const siemens = new Float32Array(this.#cells.targetsSiemens.length);
    this.#cells.conductances(atSeconds, this.#celsius, siemens);
    return siemens;
  }

  /**
   * Set converters and factors, as a state has them or as when programmed, and take over what the devices act with.
   * @returns what drift is measured by from now on
   */
  #begin(state?: Partial<TileState> & Pick<TileState, "outputMax" | "calibrationMax">): DriftReference {
    const acting = this.#acting();
    const { dac, outputMax } = this.#spec;
    const first = state
      ? ([state.outputMax, state.calibrationMax] as const)
      : firstRanges(acting.siemens, this.#weightsPerSiemens, dac.max, outputMax);
    this.circuit.setRanges(...first);
    this.circuit.pack(acting);
    this.circuit.setAlpha(state?.alpha ?? 1);
    this.circuit.setOffsets(state?.offsets ?? new Float32Array(this.place.outputs));
    return new DriftReference(state?.programmedResponse?.slice() ?? this.#response(), state?.programmedRanges ?? first);
  }

  #acting(): Acting {
    const { device, wires } = this.#spec;
    return actingAt(this.#cells, this.#columns, device, wires, this.#atSeconds, this.#celsius, this.#scratch);
  }

  #response(): Float64Array {
    return responseOf(this.circuit, this.place, Math.round(this.#atSeconds * 1000));
  }
}
