import { type Shape, sizeOf } from "../../../models/tensor.ts";
import type { LayerSpec, Padding, Pair } from "../../../models/training/specification.ts";

/** A batch in double precision. */
export interface Batch {
  readonly data: Float64Array;
  readonly shape: Shape;
  readonly count: number;
}

/**
 * The layers written once more, one output at a time in double precision, as the definition says: the oracle of
 * the trainer. Batch normalisation takes the statistics of the batch.
 */
export const referenceForward = (
  specs: readonly LayerSpec[],
  x: Batch,
  weights: ReadonlyMap<string, ArrayLike<number>>,
  prefix = "",
): Batch => specs.reduce((value, spec, i) => one(`${prefix}${i}-${spec.kind}`, spec, value, weights), x);

const one = (name: string, spec: LayerSpec, x: Batch, weights: ReadonlyMap<string, ArrayLike<number>>): Batch => {
  const get = (what: string) => weights.get(`${name}.${what}`)!;
  const bias = (c: number) => weights.get(`${name}.bias`)?.[c] ?? 0;
  switch (spec.kind) {
    case "dense": {
      const [inputs, w] = [sizeOf(x.shape), get("weights")];
      return fill([spec.outputs], x.count, (b, o) => {
        let sum = bias(o);
        for (let i = 0; i < inputs; i++) sum += w[o * inputs + i]! * x.data[b * inputs + i]!;
        return sum;
      });
    }
    case "conv": {
      const [channels, w, taps] = [x.shape[2]!, get("weights"), spec.kernel[0] * spec.kernel[1]];
      return windows(x, spec, spec.channels, (c, elements) => {
        let sum = bias(c);
        for (const { at, tap } of elements) {
          for (let i = 0; i < channels; i++) sum += w[(c * taps + tap) * channels + i]! * x.data[at + i]!;
        }
        return sum;
      });
    }
    case "depthwise": {
      const [channels, w] = [x.shape[2]!, get("weights")];
      return windows(x, spec, channels, (c, elements) =>
        elements.reduce((sum, { at, tap }) => sum + w[tap * channels + c]! * x.data[at + c]!, bias(c)),
      );
    }
    case "max-pool":
    case "average-pool":
      return windows(x, { stride: spec.kernel, padding: "valid", ...spec }, x.shape[2]!, (c, elements) => {
        const values = elements.map(({ at }) => x.data[at + c]!);
        return spec.kind === "max-pool" ? Math.max(...values) : values.reduce((a, b) => a + b, 0) / values.length;
      });
    case "global-average-pool": {
      const channels = x.shape.at(-1)!;
      const positions = sizeOf(x.shape) / channels;
      return fill([channels], x.count, (b, c) => {
        let sum = 0;
        for (let p = 0; p < positions; p++) sum += x.data[(b * positions + p) * channels + c]!;
        return sum / positions;
      });
    }
    case "batch-norm": {
      const channels = x.shape.at(-1)!;
      const rows = x.data.length / channels;
      const column = (c: number) => Array.from({ length: rows }, (_, r) => x.data[r * channels + c]!);
      const moments = Array.from({ length: channels }, (_, c) => {
        const mean = column(c).reduce((a, b) => a + b, 0) / rows;
        return { mean, variance: column(c).reduce((a, b) => a + (b - mean) ** 2, 0) / rows };
      });
      return fill(x.shape, x.count, (b, i) => {
        const { mean, variance } = moments[i % channels]!;
        const normal = (x.data[b * sizeOf(x.shape) + i]! - mean) / Math.sqrt(variance + 1e-5);
        return get("gamma")[i % channels]! * normal + get("beta")[i % channels]!;
      });
    }
    case "relu":
      return { ...x, data: x.data.map((value) => Math.max(0, value)) };
    case "sigmoid":
      return { ...x, data: x.data.map((value) => 1 / (1 + Math.exp(-value))) };
    case "tanh":
      return { ...x, data: x.data.map(Math.tanh) };
    case "gru": {
      const [steps, features, hidden] = [x.shape[1]!, x.shape[2]!, spec.hidden];
      const state: number[][] = [];
      const product = (what: string, o: number, inputs: number, at: (i: number) => number): number => {
        let sum = 0;
        for (let i = 0; i < inputs; i++) sum += get(what)[o * inputs + i]! * at(i);
        return sum;
      };
      const logistic = (value: number) => 1 / (1 + Math.exp(-value));
      for (let b = 0; b < x.count; b++) {
        let h = Array<number>(hidden).fill(0);
        for (let t = 0; t < steps; t++) {
          const gate = (g: number, j: number, reset: number) => {
            const [o, before] = [g * hidden + j, h];
            const fromInput = product("weights", o, features, (i) => x.data[(b * steps + t) * features + i]!);
            const fromState = product("recurrent", o, hidden, (i) => before[i]!) + get("recurrent-bias")[o]!;
            return fromInput + get("bias")[o]! + reset * fromState;
          };
          h = h.map((old, j) => {
            const [z, r] = [logistic(gate(0, j, 1)), logistic(gate(1, j, 1))];
            return (1 - z) * Math.tanh(gate(2, j, r)) + z * old;
          });
          state.push(h);
        }
      }
      if (spec.gives === "all")
        return fill([1, steps, hidden], x.count, (b, i) => state.flat()[b * steps * hidden + i]!);
      return fill([hidden], x.count, (b, j) => state[b * steps + steps - 1]![j]!);
    }
    case "flatten":
      return { ...x, shape: [sizeOf(x.shape)] };
    case "dropout":
      return x;
    case "residual": {
      const main = referenceForward(spec.layers, x, weights, `${name}.main.`);
      const shortcut = referenceForward(spec.shortcut ?? [], x, weights, `${name}.shortcut.`);
      return { ...main, data: main.data.map((value, i) => value + shortcut.data[i]!) };
    }
  }
};

const fill = (shape: Shape, count: number, value: (b: number, i: number) => number): Batch => {
  const size = sizeOf(shape);
  return {
    data: Float64Array.from({ length: count * size }, (_, k) => value(Math.floor(k / size), k % size)),
    shape,
    count,
  };
};

/** Each output from the elements of its window that lie inside: where their channels begin, and which tap. */
const windows = (
  x: Batch,
  { kernel, stride = [1, 1], padding = "same" }: { kernel: Pair; stride?: Pair; padding?: Padding },
  outputs: number,
  value: (channel: number, elements: { at: number; tap: number }[]) => number,
): Batch => {
  const [h, w, channels] = x.shape as [number, number, number];
  const size = (n: number, k: number, s: number) =>
    padding === "same" ? Math.ceil(n / s) : Math.floor((n - k) / s) + 1;
  const [oh, ow] = [size(h, kernel[0], stride[0]), size(w, kernel[1], stride[1])];
  const before = (n: number, k: number, s: number, o: number) =>
    padding === "same" ? Math.floor(Math.max(0, (o - 1) * s + k - n) / 2) : 0;
  const [top, left] = [before(h, kernel[0], stride[0], oh), before(w, kernel[1], stride[1], ow)];
  return fill([oh, ow, outputs], x.count, (b, k) => {
    const [i, j, c] = [Math.floor(k / (ow * outputs)), Math.floor(k / outputs) % ow, k % outputs];
    const elements: { at: number; tap: number }[] = [];
    for (let p = 0; p < kernel[0]; p++) {
      for (let q = 0; q < kernel[1]; q++) {
        const [row, col] = [i * stride[0] - top + p, j * stride[1] - left + q];
        if (row < 0 || col < 0 || row >= h || col >= w) continue;
        elements.push({ at: ((b * h + row) * w + col) * channels, tap: p * kernel[1] + q });
      }
    }
    return value(c, elements);
  });
};
