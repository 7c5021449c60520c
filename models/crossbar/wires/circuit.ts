/**
 * The wires of a crossbar [inputs × outputs]. A word line an input, driven at its end beside output 0; a bit line an
 * output, grounded at its end behind the last input. Between the driver and the first device, between devices, and
 * between the last device and ground lies one segment.
 *
 *   V₀ ─r─┬───r───┬───          W: nodes of word lines
 *         G₀₀     G₀₁
 *         │B₀₀    │B₀₁          B: nodes of bit lines
 *   V₁ ─r─│─┬──r──│─┬───
 *         r G₁₀   r G₁₁
 *         ├─┘     ├─┘
 *         r       r
 *         ⏚       ⏚             the current into ground is the output
 */
export interface WireCircuit {
  /** Resistance of one segment of a word line, Ω. */
  readonly wordLineOhm: number;
  /** Resistance of one segment of a bit line, Ω. */
  readonly bitLineOhm: number;
  /**
   * Word lines that meet a bit line at one node, with a device each; 1 unless given. With 2, word lines 2i and 2i + 1
   * share node i, as those of a pair's plus and minus devices do where both sit on one bit line.
   */
  readonly devicesPerNode?: 1 | 2;
}

/** @throws RangeError unless both resistances are finite and ≥ 0 and the conductances are those of a whole crossbar */
export const checkCircuit = (
  siemens: ArrayLike<number>,
  outputs: number,
  inputs: number,
  { wordLineOhm, bitLineOhm, devicesPerNode = 1 }: WireCircuit,
): void => {
  for (const [name, value] of Object.entries({ wordLineOhm, bitLineOhm })) {
    if (!(value >= 0 && value < Infinity)) throw new RangeError(`${name}: expected a finite number ≥ 0, got ${value}`);
  }
  if (siemens.length !== outputs * inputs || siemens.length === 0) {
    throw new RangeError(`siemens: expected [${outputs} × ${inputs}] numbers, got ${siemens.length}`);
  }
  if (inputs % devicesPerNode !== 0) {
    throw new RangeError(`inputs: expected a multiple of devicesPerNode = ${devicesPerNode}, got ${inputs}`);
  }
};

/**
 * The devices of one output and their bit line, seen from the word lines: its nodes B are eliminated.
 *
 *   M = G − G T⁻¹ G        currents drawn from the word lines for voltages on them; G = diag(devices)
 *   c = M 1                what of these reaches ground, by input: Σ of a column of M, as M is symmetric
 *
 * T is the tridiagonal matrix of the bit line's segments and devices.
 */
export class BitLine {
  /** Nodes along the line, one a device or one a pair. */
  readonly #nodes: number;
  readonly #perNode: number;
  readonly #segmentSiemens: number;
  /** T⁻¹ G by columns, [inputs × nodes]: the bit line's voltages for one volt on each word line. */
  readonly #voltages: Float64Array;
  readonly #pivots: Float64Array;
  readonly #right: Float64Array;

  constructor(inputs: number, { bitLineOhm, devicesPerNode = 1 }: WireCircuit) {
    this.#perNode = devicesPerNode;
    this.#nodes = inputs / devicesPerNode;
    this.#segmentSiemens = 1 / bitLineOhm; // Infinity: the bit line is at ground everywhere
    this.#voltages = new Float64Array(bitLineOhm === 0 ? 0 : inputs * this.#nodes);
    this.#pivots = new Float64Array(this.#nodes);
    this.#right = new Float64Array(this.#nodes);
  }

  /** The node of a word line's device. */
  nodeOf(input: number): number {
    return this.#perNode === 1 ? input : input >> 1;
  }

  /** Take the devices of an output, S, [inputs] from `from`. */
  take(siemens: ArrayLike<number>, from: number): void {
    const s = this.#segmentSiemens;
    if (s === Infinity) return;
    const [n, perNode] = [this.#nodes, this.#perNode];
    // LDLᵀ of T from the top: each pivot is what a node sees, all positive, so that nothing cancels.
    let above = 0; // what the node sees upwards through the segment above it
    for (let i = 0; i < n; i++) {
      let pivot = above + s;
      for (let k = i * perNode; k < (i + 1) * perNode; k++) pivot += siemens[from + k]!;
      this.#pivots[i] = pivot;
      above = s * (1 - s / pivot);
    }
    for (let k = 0; k < n * perNode; k++) {
      this.#right.fill(0);
      this.#right[this.nodeOf(k)] = siemens[from + k]!;
      this.solve(this.#right, this.#voltages, k * n);
    }
  }

  /** T⁻¹ b for currents b into the nodes of the bit line, A → V, into `out` from `at`. b is overwritten. */
  solve(b: Float64Array, out: Float64Array, at: number): void {
    const n = this.#nodes;
    const s = this.#segmentSiemens;
    if (s === Infinity) return void out.fill(0, at, at + n);
    for (let i = 1; i < n; i++) b[i] = b[i]! + (s / this.#pivots[i - 1]!) * b[i - 1]!;
    let below = 0;
    for (let i = n - 1; i >= 0; i--) {
      below = (b[i]! + s * below) / this.#pivots[i]!;
      out[at + i] = below;
    }
  }

  /** Add M · factor to `out` [inputs × inputs]; gives c into `reached`. */
  addTo(siemens: ArrayLike<number>, from: number, factor: number, out: Float64Array, reached: Float64Array): void {
    const n = this.#nodes;
    const inputs = n * this.#perNode;
    const isGrounded = this.#segmentSiemens === Infinity;
    for (let k = 0; k < inputs; k++) {
      const g = siemens[from + k]!;
      let sum = g;
      if (!isGrounded) {
        for (let i = 0; i < inputs; i++) {
          const current = siemens[from + i]! * this.#voltages[k * n + this.nodeOf(i)]!;
          out[k * inputs + i] = out[k * inputs + i]! - factor * current;
          sum -= current;
        }
      }
      out[k * inputs + k] = out[k * inputs + k]! + factor * g;
      reached[k] = sum;
    }
  }
}
