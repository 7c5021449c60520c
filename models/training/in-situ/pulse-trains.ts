import type { SequentialRandom } from "../../random.ts";

/** Weights [outputs × inputs] that pulses change, by a step each. */
export interface Pulsed {
  readonly outputs: number;
  readonly inputs: number;
  /** Mean step of a pulse. */
  readonly step: number;
  /** Give weight `i` so many pulses: up where `count` > 0, down where it is < 0. */
  pulse(i: number, count: number): void;
}

/** Most pulses of a train: the bits of a word that stays an integer with sign. */
const mostPulses = 31;

/**
 * Change weights by about −`rate` · δ xᵀ with stochastic pulse trains (Gokmen and Vlasov, 2016): a train of random
 * pulses along each input and each output, and a device steps where two meet.
 *
 *   pulses a train   L = ⌈rate · max|x| · max|δ| / step⌉, at most 31
 *   P(x_i) = c |x_i| √(max|δ| / max|x|)    P(δ_o) = c |δ_o| √(max|x| / max|δ|)     c = √(rate / (L · step))
 *   E[coincidences] = rate |x_i| |δ_o| / step
 *
 * What is more than 31 pulses is lost.
 */
export class PulseTrains {
  readonly #random: SequentialRandom;
  readonly #inputTrains: Int32Array;
  readonly #active: Int32Array;

  constructor(inputs: number, random: SequentialRandom) {
    this.#random = random;
    this.#inputTrains = new Int32Array(inputs);
    this.#active = new Int32Array(inputs);
  }

  /** @param x [inputs], @param delta [outputs]: the gradient by the array's outputs */
  update(array: Pulsed, x: Float32Array, delta: Float32Array, rate: number): void {
    const [xMax, dMax] = [largest(x), largest(delta)];
    if (xMax === 0 || dMax === 0) return;
    const wanted = (rate * xMax * dMax) / array.step;
    const pulses = Math.min(mostPulses, Math.max(1, Math.ceil(wanted)));
    const c = Math.sqrt(rate / (pulses * array.step));
    const [forInputs, forOutputs] = [c * Math.sqrt(dMax / xMax), c * Math.sqrt(xMax / dMax)];
    let count = 0;
    for (let i = 0; i < array.inputs; i++) {
      if (x[i] === 0) continue;
      const train = this.#train(forInputs * Math.abs(x[i]!), pulses);
      if (train === 0) continue;
      this.#inputTrains[i] = train;
      this.#active[count++] = i;
    }
    for (let o = 0; o < array.outputs; o++) {
      if (delta[o] === 0) continue;
      const train = this.#train(forOutputs * Math.abs(delta[o]!), pulses);
      if (train === 0) continue;
      for (let n = 0; n < count; n++) {
        const i = this.#active[n]!;
        const met = bitsOf(train & this.#inputTrains[i]!);
        if (met > 0) array.pulse(o * array.inputs + i, delta[o]! * x[i]! > 0 ? -met : met);
      }
    }
  }

  #train(probability: number, pulses: number): number {
    let train = 0;
    for (let bit = 0; bit < pulses; bit++) if (this.#random.uniform() < probability) train |= 1 << bit;
    return train;
  }
}

const largest = (values: Float32Array): number => {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
};

const bitsOf = (word: number): number => {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};
