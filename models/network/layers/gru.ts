import type { Arena } from "../../crossbar/kernels/arena.ts";
import type { GruNode } from "../graph.ts";
import type { Part, Product } from "../parts.ts";

/**
 * The steps of a gated recurrent unit (Cho et al. 2014, in the form of cuDNN and ONNX `linear_before_reset` 1), for
 * inputs x of T time steps and a state h that starts at 0; σ is the logistic function, ⊙ by element:
 *
 *   [a_z a_r a_n] = W x + b          one product of T rows, on the array `<node>/input`
 *   [c_z c_r c_n] = R h + b'         one product a time step, on the array `<node>/recurrent`
 *   z = σ(a_z + c_z)   r = σ(a_r + c_r)   n = tanh(a_n + r ⊙ c_n)
 *   h ← (1 − z) ⊙ n + z ⊙ h
 *
 * Where it carries its state, h is what the inference before left. `y` takes the state after the last step, or after each where it has room for all.
 */
export const gruSteps = (
  node: GruNode,
  parts: readonly Part[],
  buffers: {
    readonly x: Float32Array;
    readonly y: Float32Array;
    readonly arena: Arena;
    /** Takes the state, where it is carried. */
    readonly states: Float32Array[];
  },
  productOf: (part: Part) => Product,
): (() => void)[] => {
  const { x, y, arena } = buffers;
  const { hidden, steps, bias, recurrentBias, carriesState } = node;
  const [input, recurrent] = parts.map(productOf) as [Product, Product];
  const a = arena.float32(steps * 3 * hidden);
  const c = arena.float32(3 * hidden);
  const h = arena.float32(hidden);
  if (carriesState) buffers.states.push(h);
  const keepsAll = y.length > hidden || steps === 1;
  return [
    () => input(x, a, steps),
    () => {
      if (!carriesState) h.fill(0);
      for (let t = 0; t < steps; t++) {
        recurrent(h, c, 1, t);
        gruCell(a, t * 3 * hidden, c, { bias, recurrentBias }, h, hidden);
        if (keepsAll) for (let j = 0; j < hidden; j++) y[t * hidden + j] = h[j]!;
      }
      if (!keepsAll) y.set(h);
    },
  ];
};

const gruCell = (
  a: Float32Array,
  at: number,
  c: Float32Array,
  { bias, recurrentBias }: Pick<GruNode, "bias" | "recurrentBias">,
  h: Float32Array,
  hidden: number,
): void => {
  for (let j = 0; j < hidden; j++) {
    const [jr, jn] = [hidden + j, 2 * hidden + j];
    const z = 1 / (1 + Math.exp(-(a[at + j]! + bias[j]! + c[j]! + recurrentBias[j]!)));
    const r = 1 / (1 + Math.exp(-(a[at + jr]! + bias[jr]! + c[jr]! + recurrentBias[jr]!)));
    const n = Math.tanh(a[at + jn]! + bias[jn]! + r * (c[jn]! + recurrentBias[jn]!));
    h[j] = (1 - z) * n + z * h[j]!;
  }
};
