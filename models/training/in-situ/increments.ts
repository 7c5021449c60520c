import type { Pulsed } from "./pulse-trains.ts";

/**
 * Steps that pulses ask of weights, gathered until they are written: for devices whose published models say what a write
 * to a target leaves, and nothing of single pulses. A write to the target is then one signed increment.
 */
export class Increments implements Pulsed {
  readonly outputs: number;
  readonly inputs: number;
  readonly step: number;
  readonly #steps: Int32Array;

  /** @param step > 0, in units of weights */
  constructor(outputs: number, inputs: number, step: number) {
    if (!(step > 0)) throw new RangeError(`step: expected a number > 0, got ${step}`);
    this.outputs = outputs;
    this.inputs = inputs;
    this.step = step;
    this.#steps = new Int32Array(outputs * inputs);
  }

  pulse(i: number, count: number): void {
    this.#steps[i]! += count;
  }

  /** Weights with the steps that were asked for since the last call, kept within low … high. */
  applyTo(weights: Float32Array, low: Float32Array, high: Float32Array): Float32Array {
    const next = weights.map((w, i) => {
      const steps = this.#steps[i]!;
      return steps === 0 ? w : Math.min(high[i]!, Math.max(low[i]!, w + steps * this.step));
    });
    this.#steps.fill(0);
    return next;
  }
}
