import type { SequentialRandom } from "../../random.ts";
import { PulseTrains } from "./pulse-trains.ts";
import { PulsedArray, type SoftBounds } from "./soft-bounds.ts";

/** A weight matrix [outputs × inputs] that learns where it is stored. */
export interface TrainedMatrix {
  readonly outputs: number;
  readonly inputs: number;
  /** y = W x */
  multiply(x: Float32Array, y: Float32Array): void;
  /** dx = Wᵀ δ */
  multiplyBack(delta: Float32Array, dx: Float32Array): void;
  /** W ← W − rate · δ xᵀ, as near as the storage can. */
  update(x: Float32Array, delta: Float32Array, rate: number): void;
}

/** What devices read in both directions do alike. */
const products = (weights: Float32Array, outputs: number, inputs: number) => ({
  outputs,
  inputs,
  multiply: (x: Float32Array, y: Float32Array): void => {
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += weights[o * inputs + i]! * x[i]!;
      y[o] = sum;
    }
  },
  multiplyBack: (delta: Float32Array, dx: Float32Array): void => {
    dx.fill(0);
    for (let o = 0; o < outputs; o++) {
      const d = delta[o]!;
      if (d !== 0) for (let i = 0; i < inputs; i++) dx[i]! += weights[o * inputs + i]! * d;
    }
  },
});

/** Float32 numbers and exact steps: stochastic gradient descent as it is meant. */
export const floatMatrix = (initial: Float32Array, outputs: number, inputs: number): TrainedMatrix => {
  const weights = initial.slice();
  return {
    ...products(weights, outputs, inputs),
    update: (x, delta, rate) => {
      for (let o = 0; o < outputs; o++) {
        const d = rate * delta[o]!;
        if (d !== 0) for (let i = 0; i < inputs; i++) weights[o * inputs + i]! -= d * x[i]!;
      }
    },
  };
};

/** Devices with soft bounds, and the gradient as pulse trains on them: what asymmetric devices turn against themselves. */
export const pulsedMatrix = (
  initial: Float32Array,
  outputs: number,
  inputs: number,
  device: SoftBounds,
  random: SequentialRandom,
): TrainedMatrix => {
  const array = new PulsedArray(outputs, inputs, device, random);
  array.program(initial);
  const trains = new PulseTrains(inputs, random);
  return {
    ...products(array.weights, outputs, inputs),
    update: (x, delta, rate) => trains.update(array, x, delta, rate),
  };
};

/** How Tiki-Taka moves what its first array has gathered to its second. */
export interface TikiTakaOptions {
  /** Samples between the transfers of one input's column; columns take turns. */
  readonly transferEvery: number;
  /** The part of a reading that is added to the digital sum. */
  readonly transferRate: number;
  /** Pairs of pulses that find the symmetric points before training. */
  readonly shiftPairs: number;
}

/**
 * Tiki-Taka with a digital filter (Gokmen and Haensch, 2020; Gokmen, 2021): the gradient's pulses go to an array A,
 * whose devices forget towards their symmetric points; readings of A against a reference at those points are summed
 * in digital numbers H, and each time a sum is a whole step, C gets one pulse.
 *
 *   A ← A − rate δ xᵀ by pulse trains
 *   each `transferEvery` samples, for the next input i:   H_i ← H_i + transferRate (A_i − A*_i)
 *   |H_oi| ≥ step:   one pulse on C_oi, H_oi ← H_oi ∓ step
 *   W = C
 *
 * A device's asymmetry so acts on A, near its own zero, and only as noise on C.
 */
export const tikiTakaMatrix = (
  initial: Float32Array,
  outputs: number,
  inputs: number,
  device: SoftBounds,
  options: TikiTakaOptions,
  random: SequentialRandom,
): TrainedMatrix => {
  const { transferEvery, transferRate, shiftPairs } = options;
  const [fast, slow] = [0, 1].map(() => new PulsedArray(outputs, inputs, device, random)) as [PulsedArray, PulsedArray];
  fast.driveToSymmetry(shiftPairs);
  const reference = fast.weights.slice();
  slow.program(initial);
  const trains = new PulseTrains(inputs, random);
  const gathered = new Float32Array(outputs * inputs);
  let [samples, next] = [0, 0];
  const transfer = (): void => {
    for (let o = 0; o < outputs; o++) {
      const at = o * inputs + next;
      const sum = gathered[at]! + transferRate * (fast.weights[at]! - reference[at]!);
      const pulses = Math.trunc(sum / slow.step);
      if (pulses !== 0) slow.pulse(at, pulses);
      gathered[at] = sum - pulses * slow.step;
    }
    next = (next + 1) % inputs;
  };
  return {
    ...products(slow.weights, outputs, inputs),
    update: (x, delta, rate) => {
      trains.update(fast, x, delta, rate);
      if (++samples % transferEvery === 0) transfer();
    },
  };
};
