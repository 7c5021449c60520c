import { CrossbarArray } from "../crossbar/array.ts";
import { type Hardware, readingOf } from "../crossbar/array-spec.ts";
import type { CircuitImage } from "../crossbar/circuit-image.ts";
import type { DeviceModel } from "../crossbar/devices/device.ts";
import type { FaultRates } from "../crossbar/faults.ts";
import { Arena } from "../crossbar/kernels/arena.ts";
import { tilesOf } from "../crossbar/mapping.ts";
import { addWrites, noWrites, type WriteCount, type WriteVerify } from "../crossbar/programming.ts";
import { freeSparesOf } from "../crossbar/spare-tile.ts";
import { secondsAtReference } from "../crossbar/temperature.ts";
import type { Tile } from "../crossbar/tile.ts";
import type { ArrayState, ChipState } from "../crossbar/tile-state.ts";
import type { Windows } from "../crossbar/windows.ts";
import type { PairWires } from "../crossbar/wires/pair-wires.ts";
import type { Mapping } from "../manifest.ts";
import type { Shape } from "../tensor.ts";
import { foldBatchNorm } from "./fold-batch-norm.ts";
import type { Graph } from "./graph.ts";
import { ModelError } from "./model-error.ts";
import type { Network } from "./network.ts";
import { isWeighted, type Part, partsOf, rowsOf } from "./parts.ts";
import { type Plan, plan, planBytes } from "./plan.ts";

/** With `Hardware`: what is said here goes before what the mapping says. */
export interface AnalogOptions extends Hardware {
  readonly device: DeviceModel;
  /** Of the chip: the same seed is the same chip, with the same noise. An integer ≥ 0. */
  readonly seed: number;
  /** Tile sizes, converter bits and the ranges of every layer with weights, as `calibrateRanges` gives them. */
  readonly mapping: Mapping;
  readonly kernel: "reference" | "simd";
  /** How often devices and lines are faulty; left out: never. */
  readonly faults?: FaultRates;
  /** Resistance of the wires of all tiles; left out: none. */
  readonly wires?: PairWires;
  /** What `state` gave of a chip with the same graph and options: it goes on from there, and nothing is programmed. */
  readonly state?: ChipState;
}

/**
 * Sees a product of an array: what drove it, `[rows × inputs]`, or where `windows` says so the image that they cut it out
 * of, and what it gave, `[rows × outputs]`. The inference goes on with what is left in y.
 */
export type Watch = (product: {
  readonly part: Part;
  readonly array: CrossbarArray;
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly rows: number;
  readonly windows?: Windows;
}) => void;

/** Images of the tiles of all arrays, by name. */
export type NetworkImage = Readonly<Record<string, readonly CircuitImage[]>>;

/**
 * A graph run on a simulated crossbar: the products of dense, conv, depthwise and recurrent layers on its arrays, bias,
 * activation, pooling and sums digitally. Of the pairs of a depthwise layer only those on the diagonal are
 * formed. Batch normalisation is folded into the weights before they are programmed.
 */
export class AnalogNetwork implements Network {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** By node name; a depthwise layer that needs several has them as `<node>/channels-<first>-<last>`. */
  readonly arrays: ReadonlyMap<string, CrossbarArray>;
  readonly #plan: Plan;
  readonly #device: DeviceModel;
  readonly #spareTiles: number;
  readonly #inference = { number: 0 };
  readonly #seen: { watch: Watch | undefined } = { watch: undefined };

  /**
   * Program the weights; the devices are left at age zero, uncompensated. With a `state` nothing is programmed.
   * @throws ModelError when the graph does not fit together or the mapping lacks ranges; RangeError as `CrossbarArray`
   */
  constructor(graph: Graph, options: AnalogOptions) {
    const { device, seed, mapping, kernel, faults, wires, state, ...asked } = options;
    const hardware: Hardware = { ...mapping.hardware, ...asked };
    this.#device = device;
    this.#spareTiles = hardware.spareTiles ?? 0;
    const folded = foldBatchNorm(graph);
    const arena = new Arena(planBytes(folded) + arrayBytes(folded, mapping, hardware));
    const arrays = new Map<string, CrossbarArray>();
    const tilesSeen = new Map<string, number>();
    const [inference, seen] = [this.#inference, this.#seen];
    const { dacBits, adcBits, tileInputs, tileOutputs } = mapping;
    const program = (part: Part, weights: Float32Array, inputs: number, windows?: Windows): CrossbarArray => {
      const from = tilesSeen.get(part.node) ?? 0;
      const to = from + tilesOf(part.outputs, inputs, tileOutputs, tileInputs).length;
      tilesSeen.set(part.node, to);
      const { inputMax, tileOutputMax } = rangeOf(mapping, part, to);
      const array = new CrossbarArray(
        weights,
        part.outputs,
        inputs,
        {
          device,
          ...{ dacBits, adcBits, tileInputs, tileOutputs, inputMax, seed, kernel },
          tileOutputMax: tileOutputMax.slice(from, to),
          arrayId: arrays.size,
          maxBatch: part.rows,
          ...(windows && { windows }),
          // On the diagonal of a depthwise part: inputs run over [taps][channels].
          ...(part.columns && !windows && { isFormed: (o: number, i: number) => i % part.outputs === o }),
          ...(faults && { faults }),
          ...(wires && { wires }),
          ...hardware,
        },
        arena,
        state && stateOf(state, part.name),
      );
      arrays.set(part.name, array);
      return array;
    };
    this.#plan = plan(folded, {
      arena,
      depthwise: mapping,
      productOf: (part) => {
        const array = program(part, part.weights, part.inputs);
        return (x, y, rows, run = 0) => {
          array.mvm(x, y, rows, inference.number * part.runs + run);
          seen.watch?.({ part, array, x, y, rows });
        };
      },
      // Behind wires a device's place in the crossbar counts: then all of its rows are laid out, and so they are for sums of
      // digits and for what is read in detail.
      ...(!wires &&
        canReadWindows(device, hardware) && {
          columnsOf: (part: Part, windows: Windows) => {
            const array = program(part, part.columns!, part.columns!.length / part.outputs, windows);
            return (x, y) => {
              array.mvmWindows(x, y, inference.number);
              seen.watch?.({ part, array, x, y, rows: part.rows, windows });
            };
          },
        }),
    });
    this.arrays = arrays;
    this.freeSpareTiles; // or throw
    if (state) this.restartNoise(state.inference);
    this.inputShape = this.#plan.inputShape;
    this.outputShape = this.#plan.outputShape;
  }

  /**
   * Run one sample. Each call has the next inference number, from 0 on, and with it read noise of its own. Allocates
   * nothing. @throws RangeError when a length does not fit
   */
  infer(input: Float32Array, output: Float32Array): void {
    this.#plan.infer(input, output);
    this.#inference.number++;
  }

  /** Run one sample as `infer` does, and let `watch` see each product. @throws RangeError when a length does not fit */
  watched(input: Float32Array, output: Float32Array, watch: Watch): void {
    this.#seen.watch = watch;
    try {
      this.infer(input, output);
    } finally {
      this.#seen.watch = undefined;
    }
  }

  /** Number of the next inference. */
  get inference(): number {
    return this.#inference.number;
  }
  /** As `restartNoise`. */
  set inference(number: number) {
    this.restartNoise(number);
  }

  /** What is carried from one inference to the next: see `Network`. */
  get states(): readonly Float32Array[] {
    return this.#plan.states;
  }

  /** Give the next call this inference number, an integer ≥ 0: the same number repeats the same noise. */
  restartNoise(inference: number): void {
    if (!(Number.isSafeInteger(inference) && inference >= 0)) {
      throw new RangeError(`inference: expected an integer ≥ 0, got ${inference}`);
    }
    this.#inference.number = inference;
  }

  /** Chip time in seconds at the reference temperature, 0 when the chip was first programmed. */
  get atSeconds(): number {
    return this.arrays.values().next().value?.atSeconds ?? 0;
  }

  /** Bring all devices to a chip time, and to a temperature: `CrossbarArray.ageTo`. */
  ageTo(atSeconds: number, celsius?: number): void {
    for (const array of this.arrays.values()) array.ageTo(atSeconds, celsius);
  }

  /** Let time pass at a temperature, which reads keep until the next call: chip time runs faster in the heat. */
  pass(seconds: number, celsius: number): void {
    this.ageTo(this.atSeconds + secondsAtReference(this.#device, seconds, celsius), celsius);
  }

  /** What programming took; nothing where a state was taken over. */
  get programmed(): WriteCount {
    return this.#tiles.reduce((sum, { programmed }) => addWrites(sum, programmed), noWrites);
  }

  /** Write all devices anew at the present time. @returns what it took */
  rewrite(verify?: WriteVerify): WriteCount {
    return this.#tiles.reduce((sum, tile) => addWrites(sum, tile.rewrite("all", verify)), noWrites);
  }

  /** Numbers of the spare tiles that no tile stands on, as `Tile.spareTile` takes them. */
  get freeSpareTiles(): readonly number[] {
    const taken = this.#tiles.flatMap(({ spare }) => (spare === undefined ? [] : [spare]));
    return freeSparesOf(this.#spareTiles, taken);
  }

  get #tiles(): readonly Tile[] {
    return [...this.arrays.values()].flatMap((array) => array.tiles);
  }

  /** All that the chip is beside its model and options: to be stored, and put back by the constructor. See `Tile.state`. */
  state(as?: "copy" | "view"): ChipState {
    const arrays = Object.fromEntries([...this.arrays].map(([name, array]) => [name, array.state(as)]));
    return { inference: this.#inference.number, arrays };
  }

  /** What the products of all tiles are made of now, by array: for `show`. A copy. */
  image(): NetworkImage {
    const images = [...this.arrays].map(([name, { tiles }]) => [name, tiles.map(({ circuit }) => circuit.image())]);
    return Object.fromEntries(images) as NetworkImage;
  }

  /**
   * Answer from an image that a network of the same model gave: copies memory and computes nothing. What the tiles say of
   * their devices stays as it was. @throws RangeError where it does not fit
   */
  show(image: NetworkImage): void {
    for (const [name, { tiles }] of this.arrays) {
      const images = image[name];
      if (images?.length !== tiles.length) throw new RangeError(`image: expected ${tiles.length} tiles of ${name}`);
      for (let t = 0; t < tiles.length; t++) tiles[t]!.circuit.show(images[t]!);
    }
  }

  /** Set the drift compensation of every tile, at the present age. */
  calibrate(mode: "none" | "global" | "per-column"): void {
    for (const array of this.arrays.values()) array.calibrate(mode);
  }

  /** How many conversions of DACs and of ADCs were clipped since construction, over all arrays. */
  saturation(): { readonly inputs: number; readonly outputs: number } {
    const all = [...this.arrays.values()].map((array) => array.saturation);
    return { inputs: all.reduce((sum, s) => sum + s.inputs, 0), outputs: all.reduce((sum, s) => sum + s.outputs, 0) };
  }
}

const canReadWindows = (device: DeviceModel, hardware: Hardware): boolean =>
  hardware.weightSlices === undefined && readingOf(device, hardware) === undefined;

const stateOf = ({ arrays }: ChipState, name: string): ArrayState => {
  const array = arrays[name];
  if (array === undefined) throw new ModelError(`state: expected an array ${name}, got ${Object.keys(arrays)}`);
  return array;
};

const rangeOf = (mapping: Mapping, { node }: Part, tiles: number): Mapping["ranges"][string] => {
  const range = mapping.ranges[node];
  if (range === undefined) throw new ModelError(`mapping: expected ranges of node ${node}, got none`);
  if (range.tileOutputMax.length < tiles) {
    const got = range.tileOutputMax.length;
    throw new ModelError(`mapping of node ${node}: expected an ADC range for each of its tiles, got ${got}`);
  }
  return range;
};

/** An upper bound of what the arrays take of the arena: int16 weights and variances, codes, scales, padding. */
const arrayBytes = (graph: Graph, mapping: Mapping, { weightSlices }: Hardware): number => {
  let bytes = 65536;
  for (const node of graph.nodes) {
    if (!isWeighted(node)) continue;
    for (const { outputs, inputs, rows } of partsOf(node, rowsOf(node), mapping)) {
      for (const tile of tilesOf(outputs, inputs, mapping.tileOutputs, mapping.tileInputs)) {
        bytes += (weightSlices?.count ?? 1) * (8 * (tile.outputs + 32) * (tile.inputs + 32) + 4096);
      }
      bytes += 8 * rows * (mapping.tileInputs + 2) + 4096;
      if (node.kind === "depthwise") bytes += 8 * (rows + 2) * node.stride[0] * node.stride[1] * (outputs + 16);
    }
  }
  return bytes;
};
