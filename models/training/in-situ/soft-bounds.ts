import type { SequentialRandom } from "../../random.ts";

/**
 * How the devices of an array answer to pulses, in units of weights. Spreads are standard deviations from device to
 * device as a part of the mean, except where it says otherwise.
 */
export interface SoftBounds {
  /** Mean step of a pulse at weight 0, the granularity. */
  readonly step: number;
  readonly stepSpread: number;
  /** Spread of one pulse after another, as a part of the device's step. */
  readonly cycleNoise: number;
  /** Mean largest weight either way. */
  readonly bound: number;
  readonly boundSpread: number;
  /** Steps up are (1 + a), steps down (1 − a) of a device's; its mean and its spread, absolute. */
  readonly asymmetry: number;
  readonly asymmetrySpread: number;
}

/**
 * Weights on devices that are changed by pulses alone, with soft bounds (Fusi and Abbott, 2007; as the device of
 * that name of aihwkit):
 *
 *   up:    w ← w + s⁺ (1 − w / b⁺) (1 + σ_c ξ)
 *   down:  w ← w − s⁻ (1 + w / b⁻) (1 + σ_c ξ)
 *
 * s and b of each device are drawn when it is built; ξ with every pulse. Where the two are equal lies the symmetric
 * point, `(s⁺ − s⁻) / (s⁺/b⁺ + s⁻/b⁻)`: pulses up and down in turn drive a device there.
 */
export class PulsedArray {
  readonly outputs: number;
  readonly inputs: number;
  /** [outputs × inputs] */
  readonly weights: Float32Array;
  readonly step: number;
  readonly #cycleNoise: number;
  readonly #random: SequentialRandom;
  readonly #up: Float32Array;
  readonly #down: Float32Array;
  readonly #most: Float32Array;
  readonly #least: Float32Array;

  /** @throws RangeError unless step and bound are > 0 and spreads ≥ 0 */
  constructor(outputs: number, inputs: number, device: SoftBounds, random: SequentialRandom) {
    const { step, stepSpread, cycleNoise, bound, boundSpread, asymmetry, asymmetrySpread } = device;
    for (const [name, value] of Object.entries({ step, bound })) {
      if (!(value > 0)) throw new RangeError(`${name}: expected a number > 0, got ${value}`);
    }
    for (const [name, value] of Object.entries({ stepSpread, cycleNoise, boundSpread, asymmetrySpread })) {
      if (!(value >= 0)) throw new RangeError(`${name}: expected a number ≥ 0, got ${value}`);
    }
    const n = outputs * inputs;
    this.outputs = outputs;
    this.inputs = inputs;
    this.step = step;
    this.#cycleNoise = cycleNoise;
    this.#random = random;
    this.weights = new Float32Array(n);
    // A device that does not answer, or has no range, is the business of yield: a hundredth is left to each.
    const about = (mean: number, spread: number): number => mean * Math.max(0.01, 1 + spread * random.gaussian());
    const steps = Float32Array.from({ length: n }, () => about(step, stepSpread));
    const tilt = Float32Array.from({ length: n }, () => asymmetry + asymmetrySpread * random.gaussian());
    this.#up = steps.map((s, i) => s * Math.max(0.01, 1 + tilt[i]!));
    this.#down = steps.map((s, i) => s * Math.max(0.01, 1 - tilt[i]!));
    this.#most = Float32Array.from({ length: n }, () => about(bound, boundSpread));
    this.#least = Float32Array.from({ length: n }, () => about(bound, boundSpread));
  }

  /** Give device `i` so many pulses one after the other, up where `count` > 0, down where it is < 0. */
  pulse(i: number, count: number): void {
    let w = this.weights[i]!;
    const [most, least] = [this.#most[i]!, this.#least[i]!];
    const step = count > 0 ? this.#up[i]! : this.#down[i]!;
    for (let n = Math.abs(count); n > 0; n--) {
      const size = step * (1 + this.#cycleNoise * (this.#cycleNoise > 0 ? this.#random.gaussian() : 0));
      w = count > 0 ? w + size * (1 - w / most) : w - size * (1 + w / least);
      w = Math.min(most, Math.max(-least, w));
    }
    this.weights[i] = w;
  }

  /** The weight at which a pulse up and one down cancel, of device `i`. */
  symmetricPoint(i: number): number {
    const [up, down] = [this.#up[i]!, this.#down[i]!];
    return (up - down) / (up / this.#most[i]! + down / this.#least[i]!);
  }

  /** Bring every device near its symmetric point by pairs of pulses (zero shifting; Kim et al., 2020). */
  driveToSymmetry(pairs: number): void {
    for (let i = 0; i < this.weights.length; i++) {
      for (let n = 0; n < pairs; n++) {
        this.pulse(i, 1);
        this.pulse(i, -1);
      }
    }
  }

  /** Write weights by pulses, each device until it is within half a step or `most` pulses are spent. */
  program(target: ArrayLike<number>, most = 1000): void {
    for (let i = 0; i < this.weights.length; i++) {
      for (let n = 0; n < most; n++) {
        const error = target[i]! - this.weights[i]!;
        if (Math.abs(error) <= this.step / 2) break;
        this.pulse(i, error > 0 ? 1 : -1);
      }
    }
  }
}
