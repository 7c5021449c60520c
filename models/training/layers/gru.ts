import type { Node, Value } from "../../network/graph.ts";
import type { SequentialRandom } from "../../random.ts";
import type { Shape } from "../../tensor.ts";
import type { Build, Layer, Pass } from "../layer.ts";
import type { Parameter } from "../parameters.ts";
import { AnalogInput } from "./analog-input.ts";

/**
 * A gated recurrent unit over `[1, steps, features]`, unrolled in time; the equations: `network/layers/gru.ts`. The
 * state's DACs have the range ± 1, which a state never leaves.
 */
export class Gru implements Layer {
  readonly outputShape: Shape;
  readonly #name: string;
  readonly #build: Build;
  readonly #hidden: number;
  readonly #steps: number;
  readonly #features: number;
  readonly #keepsAll: boolean;
  readonly #weights: Parameter;
  readonly #recurrent: Parameter;
  readonly #bias: Parameter;
  readonly #recurrentBias: Parameter;
  readonly #converters: AnalogInput;
  readonly #stateNoise: AnalogInput;
  /** [batch × steps × 3·hidden]: the input's product, then the gates z, r, n; in backward their gradients. */
  readonly #gates: Float32Array;
  /** [steps × batch × 3·hidden]: the state's product; in backward its gradient. */
  readonly #products: Float32Array;
  /** [steps + 1][batch × hidden]: the state before each step, and what the DACs make of it. */
  readonly #states: Float32Array;
  readonly #seenStates: Float32Array;
  readonly #y: Float32Array;
  readonly #dx: Float32Array;
  /** [batch × hidden]: gradient of the state, and what the recurrent product gives of it. */
  readonly #dh: Float32Array;
  readonly #back: Float32Array;
  #x: Float32Array = new Float32Array();
  #seen: Float32Array = new Float32Array();

  /** @throws RangeError when the input is not `[1, steps, features]` */
  constructor(
    name: string,
    inputShape: Shape,
    options: { hidden: number; gives: "last" | "all"; needsInputGradient: boolean },
    build: Build,
  ) {
    const [height, steps = 0, features = 0] = inputShape;
    if (inputShape.length !== 3 || height !== 1) {
      throw new RangeError(`${name}: expected an input [1, steps, features], got [${inputShape}]`);
    }
    const { hidden, gives, needsInputGradient } = options;
    const { batch, parameters, arena } = build;
    this.#name = name;
    this.#build = build;
    this.#hidden = hidden;
    this.#steps = steps;
    this.#features = features;
    this.#keepsAll = gives === "all";
    this.outputShape = this.#keepsAll ? [1, steps, hidden] : [hidden];
    const layout = { outputs: 3 * hidden, order: "outputs first" } as const;
    this.#weights = parameters.declare(`${name}.weights`, 3 * hidden * features, layout);
    this.#recurrent = parameters.declare(`${name}.recurrent`, 3 * hidden * hidden, layout);
    this.#bias = parameters.declare(`${name}.bias`, 3 * hidden);
    this.#recurrentBias = parameters.declare(`${name}.recurrent-bias`, 3 * hidden);
    const sizes = { inputs: steps * features, outputs: steps * 3 * hidden, first: !needsInputGradient };
    this.#converters = new AnalogInput(`${name}/input`, sizes, build);
    const { activationBits: _, ...noise } = build.converters;
    const noiseAlone = { ...build, converters: noise };
    this.#stateNoise = new AnalogInput(
      `${name}/recurrent`,
      { inputs: hidden, outputs: 3 * hidden, first: false },
      noiseAlone,
    );
    this.#gates = arena.float32(batch * steps * 3 * hidden);
    this.#products = arena.float32(batch * steps * 3 * hidden);
    this.#states = arena.float32((steps + 1) * batch * hidden);
    this.#seenStates = build.converters.activationBits ? arena.float32(steps * batch * hidden) : this.#states;
    this.#y = arena.float32(batch * (this.#keepsAll ? steps : 1) * hidden);
    this.#dx = arena.float32(needsInputGradient ? batch * steps * features : 0);
    this.#dh = arena.float32(batch * hidden);
    this.#back = arena.float32(batch * hidden);
  }

  forward(x: Float32Array, pass: Pass): Float32Array {
    const { kernel, loops, converters } = this.#build;
    const [n, k, m, steps, count] = [3 * this.#hidden, this.#features, this.#hidden, this.#steps, pass.count];
    this.#x = x;
    this.#seen = this.#converters.convert(x, pass);
    const gates = this.#gates.byteOffset;
    kernel.gemmNT(this.#seen.byteOffset, this.#weights.used.byteOffset, gates, count * steps, n, k, k, k, n, 0);
    this.#converters.disturb(this.#gates, count * steps * n, pass);
    loops.addRow(gates, this.#bias.used.byteOffset, count * steps, n);
    loops.clear(this.#states.byteOffset, count * m);
    for (let t = 0; t < steps; t++) {
      const state = this.#stateAt(this.#seenStates, t);
      if (converters.activationBits !== undefined) {
        const levels = 2 ** (converters.activationBits - 1) - 1;
        loops.roundToLevels(this.#stateAt(this.#states, t), state, count * m, 1 / levels, levels);
      }
      const at = t * this.#stride * 3;
      const product = this.#products.subarray(at, at + count * n);
      kernel.gemmNT(state, this.#recurrent.used.byteOffset, product.byteOffset, count, n, m, m, m, n, 0);
      this.#stateNoise.disturb(product, count * n, pass);
      loops.addRow(product.byteOffset, this.#recurrentBias.used.byteOffset, count, n);
      this.#step(t, product, count);
    }
    return this.#y;
  }

  /** From both products to the gates, which stay in place of the input's, and the next state. */
  #step(t: number, product: Float32Array, count: number): void {
    const [m, steps] = [this.#hidden, this.#steps];
    const before = t * this.#stride;
    for (let b = 0; b < count; b++) {
      const at = (b * steps + t) * 3 * m;
      for (let j = 0; j < m; j++) {
        const c = b * 3 * m + j;
        const z = 1 / (1 + Math.exp(-(this.#gates[at + j]! + product[c]!)));
        const r = 1 / (1 + Math.exp(-(this.#gates[at + m + j]! + product[c + m]!)));
        const n = Math.tanh(this.#gates[at + 2 * m + j]! + r * product[c + 2 * m]!);
        this.#gates[at + j] = z;
        this.#gates[at + m + j] = r;
        this.#gates[at + 2 * m + j] = n;
        const h = (1 - z) * n + z * this.#states[before + b * m + j]!;
        this.#states[before + this.#stride + b * m + j] = h;
        if (this.#keepsAll) this.#y[(b * steps + t) * m + j] = h;
        else if (t === steps - 1) this.#y[b * m + j] = h;
      }
    }
  }

  backward(dy: Float32Array, { count }: Pass): Float32Array {
    const { kernel, loops } = this.#build;
    const [n, k, m, steps] = [3 * this.#hidden, this.#features, this.#hidden, this.#steps];
    const { used, gradient } = this.#recurrent;
    const [dh, back] = [this.#dh, this.#back];
    for (let i = 0; i < count * m; i++) dh[i] = this.#keepsAll ? 0 : dy[i]!;
    for (let t = steps - 1; t >= 0; t--) {
      const at = t * this.#stride * 3;
      const product = this.#products.subarray(at, at + count * n);
      this.#stepBack(t, product, dy, count);
      const [dp, state] = [product.byteOffset, this.#stateAt(this.#seenStates, t)];
      loops.sumRows(dp, this.#recurrentBias.gradient.byteOffset, count, n);
      kernel.gemmTN(dp, state, gradient.byteOffset, n, m, count, n, m, m, 1);
      kernel.gemmNN(dp, used.byteOffset, back.byteOffset, count, m, n, n, m, m, 0);
      loops.add(dh.byteOffset, back.byteOffset, dh.byteOffset, count * m);
    }
    const [gates, rows] = [this.#gates.byteOffset, count * steps];
    loops.sumRows(gates, this.#bias.gradient.byteOffset, rows, n);
    kernel.gemmTN(gates, this.#seen.byteOffset, this.#weights.gradient.byteOffset, n, k, rows, n, k, k, 1);
    if (this.#dx.length === 0) return dy;
    kernel.gemmNN(gates, this.#weights.used.byteOffset, this.#dx.byteOffset, rows, k, n, n, k, k, 0);
    this.#converters.backward(this.#x, this.#dx, count);
    return this.#dx;
  }

  /** From the gradient of a state to those of both products, in their places; leaves z ⊙ dh in the state's. */
  #stepBack(t: number, product: Float32Array, dy: Float32Array, count: number): void {
    const [m, steps, dh] = [this.#hidden, this.#steps, this.#dh];
    const before = t * this.#stride;
    for (let b = 0; b < count; b++) {
      const at = (b * steps + t) * 3 * m;
      for (let j = 0; j < m; j++) {
        const c = b * 3 * m + j;
        const [z, r, n] = [this.#gates[at + j]!, this.#gates[at + m + j]!, this.#gates[at + 2 * m + j]!];
        const d = dh[b * m + j]! + (this.#keepsAll ? dy[(b * steps + t) * m + j]! : 0);
        const dz = d * (this.#states[before + b * m + j]! - n) * z * (1 - z);
        const dn = d * (1 - z) * (1 - n * n);
        const dr = dn * product[c + 2 * m]! * r * (1 - r);
        this.#gates[at + j] = dz;
        this.#gates[at + m + j] = dr;
        this.#gates[at + 2 * m + j] = dn;
        product[c] = dz;
        product[c + m] = dr;
        product[c + 2 * m] = dn * r;
        dh[b * m + j] = d * z;
      }
    }
  }

  /** N(0, 1 / inputs) each, which keeps the gates in the slope of their functions. */
  initialise(random: SequentialRandom): void {
    for (const { value } of [this.#weights, this.#recurrent]) {
      const sigma = Math.sqrt((3 * this.#hidden) / value.length);
      for (let i = 0; i < value.length; i++) value[i] = sigma * random.gaussian();
    }
  }

  emit(input: Value, nodes: Node[]): Value {
    const output = { name: `${this.#name}.out`, shape: this.outputShape };
    nodes.push({
      ...{ kind: "gru", name: this.#name, inputs: [input.name], output, hidden: this.#hidden, steps: this.#steps },
      ...{ weights: this.#weights.value.slice(), recurrent: this.#recurrent.value.slice() },
      ...{ bias: this.#bias.value.slice(), recurrentBias: this.#recurrentBias.value.slice() },
    });
    return output;
  }

  /** Address of the states of step `t`. */
  #stateAt(states: Float32Array, t: number): number {
    return states.byteOffset + 4 * t * this.#stride;
  }
  /** Numbers of one step in the arrays that go by time, a whole batch. */
  get #stride(): number {
    return this.#build.batch * this.#hidden;
  }
}
