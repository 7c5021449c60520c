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
}

/** @throws RangeError unless both resistances are finite and ≥ 0 and the conductances are those of a whole crossbar */
export const checkCircuit = (
  siemens: ArrayLike<number>,
  outputs: number,
  inputs: number,
  { wordLineOhm, bitLineOhm }: WireCircuit,
): void => {
  for (const [name, value] of Object.entries({ wordLineOhm, bitLineOhm })) {
    if (!(value >= 0 && value < Infinity)) throw new RangeError(`${name}: expected a finite number ≥ 0, got ${value}`);
  }
  if (siemens.length !== outputs * inputs || siemens.length === 0) {
    throw new RangeError(`siemens: expected [${outputs} × ${inputs}] numbers, got ${siemens.length}`);
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
  readonly #inputs: number;
  readonly #segmentSiemens: number;
  /** T⁻¹ G, [inputs × inputs], by columns: the bit line's voltages for one volt on each word line. */
  readonly voltages: Float64Array;
  readonly #pivots: Float64Array;
  readonly #right: Float64Array;

  constructor(inputs: number, bitLineOhm: number) {
    this.#inputs = inputs;
    this.#segmentSiemens = 1 / bitLineOhm; // Infinity: the bit line is at ground everywhere
    this.voltages = new Float64Array(bitLineOhm === 0 ? 0 : inputs * inputs);
    this.#pivots = new Float64Array(inputs);
    this.#right = new Float64Array(inputs);
  }

  /** Take the devices of an output, S, [inputs] from `from`. */
  take(siemens: ArrayLike<number>, from: number): void {
    const n = this.#inputs;
    const s = this.#segmentSiemens;
    if (s === Infinity) return;
    // LDLᵀ of T from the top: each pivot is what a node sees, all positive, so that nothing cancels.
    let above = 0; // what the node sees upwards through the segment above it
    for (let i = 0; i < n; i++) {
      const pivot = siemens[from + i]! + above + s;
      this.#pivots[i] = pivot;
      above = s * (1 - s / pivot);
    }
    for (let k = 0; k < n; k++) this.solve(unit(siemens[from + k]!, k, this.#right), this.voltages, k * n);
  }

  /** T⁻¹ b for currents b into the nodes of the bit line, A → V, into `out` from `at`. b is overwritten. */
  solve(b: Float64Array, out: Float64Array, at: number): void {
    const n = this.#inputs;
    const s = this.#segmentSiemens;
    if (s === Infinity) return void out.fill(0, at, at + n);
    for (let i = 1; i < n; i++) b[i] = b[i]! + (s / this.#pivots[i - 1]!) * b[i - 1]!;
    let below = 0;
    for (let i = n - 1; i >= 0; i--) {
      below = (b[i]! + s * below) / this.#pivots[i]!;
      out[at + i] = below;
    }
  }

  /** M · factor, [inputs × inputs], added to `out`; gives c into `reached`. */
  addTo(siemens: ArrayLike<number>, from: number, factor: number, out: Float64Array, reached: Float64Array): void {
    const n = this.#inputs;
    const isGrounded = this.#segmentSiemens === Infinity;
    for (let k = 0; k < n; k++) {
      const g = siemens[from + k]!;
      let sum = g;
      if (!isGrounded) {
        for (let i = 0; i < n; i++) {
          const current = siemens[from + i]! * this.voltages[k * n + i]!;
          out[k * n + i] = out[k * n + i]! - factor * current;
          sum -= current;
        }
      }
      out[k * n + k] = out[k * n + k]! + factor * g;
      reached[k] = sum;
    }
  }
}

const unit = (value: number, k: number, out: Float64Array): Float64Array => {
  out.fill(0);
  out[k] = value;
  return out;
};
