import type { Shape } from "../tensor.ts";

/**
 * A network as data: what the ONNX reader gives, the trainer trains, the writer writes, and both the digital
 * and the analog network run. Activations are channels last, `[height, width, channels]`; a one-dimensional
 * signal has height 1 and its time along the width. Weight matrices are `[outputs × inputs]`, where the inputs
 * of a convolution run over `[kernel height][kernel width][channels]`.
 */
export interface Graph {
  readonly name: string;
  readonly input: Value;
  readonly output: Value;
  /** In an order in which each node comes after those it takes its inputs from. */
  readonly nodes: readonly Node[];
  /** ONNX `metadata_props`: labels, input contract, mapping, recipe … (see `models/manifest.ts`). */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface Value {
  readonly name: string;
  readonly shape: Shape;
}

interface NodeBase {
  /** Unique in the graph; names its tiles, ranges and telemetry. */
  readonly name: string;
  /** Names of the values it takes: the graph's input or other nodes' outputs. */
  readonly inputs: readonly string[];
  /** Name and shape of the value it gives. */
  readonly output: Value;
}

/** `y = W x + b`, over the last axis of a flattened input `[inputs]`. */
export interface DenseNode extends NodeBase {
  readonly kind: "dense";
  /** [outputs × inputs] */
  readonly weights: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
}

/** A convolution over height and width. `weights` are `[outputs × kernelH·kernelW·channels]`. */
export interface ConvNode extends NodeBase {
  readonly kind: "conv";
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** Each channel by its own kernel. `weights` are `[channels × kernelH·kernelW]`. */
export interface DepthwiseNode extends NodeBase {
  readonly kind: "depthwise";
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/** Maximum or average over windows; an average divides by the samples inside the input (padding not counted). */
export interface PoolNode extends NodeBase {
  readonly kind: "max-pool" | "average-pool";
  readonly kernel: readonly [height: number, width: number];
  readonly stride: readonly [height: number, width: number];
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
}

/** The mean over height and width: `[h, w, c]` → `[c]`. */
export interface GlobalPoolNode extends NodeBase {
  readonly kind: "global-average-pool";
}

/** `y = scale · x + shift` a channel: what batch normalisation is after training. Folded into the layer before it. */
export interface BatchNormNode extends NodeBase {
  readonly kind: "batch-norm";
  /** [channels] each */
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly epsilon: number;
}

export interface ActivationNode extends NodeBase {
  readonly kind: "relu" | "relu6" | "sigmoid" | "tanh" | "softmax";
}

/** `y = x` where x ≥ 0, else `slope · x`. */
export interface LeakyReluNode extends NodeBase {
  readonly kind: "leaky-relu";
  readonly slope: number;
}

/** `y = min(max(x, low), high)`: the bounds of a relu are kinds of their own. */
export interface ClipNode extends NodeBase {
  readonly kind: "clip";
  readonly low: number;
  readonly high: number;
}

/** A border of `value` around an image. */
export interface PadNode extends NodeBase {
  readonly kind: "pad";
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
  readonly value: number;
}

/** Images of one height and width, or vectors, side by side: their channels one after the other. */
export interface ConcatNode extends NodeBase {
  readonly kind: "concat";
}

/**
 * A gated recurrent unit over `[1, steps, features]`, gates in the order update z, reset r, new n; the equations:
 * `layers/gru.ts`. Gives the last state `[hidden]`, or all of them `[1, steps, hidden]`.
 */
export interface GruNode extends NodeBase {
  readonly kind: "gru";
  readonly hidden: number;
  readonly steps: number;
  /** [3·hidden × features] */
  readonly weights: Float32Array;
  /** [3·hidden × hidden] */
  readonly recurrent: Float32Array;
  /** Goes on from the state that the inference before left: see `Network`. Left out: begins at 0. */
  readonly carriesState?: boolean;
  /** [3·hidden], of the input's product and of the state's */
  readonly bias: Float32Array;
  readonly recurrentBias: Float32Array;
}

/** Sum of two values of the same shape: the residual connection. */
export interface AddNode extends NodeBase {
  readonly kind: "add";
}

/** The same numbers under another shape, in channels-last order. */
export interface ReshapeNode extends NodeBase {
  readonly kind: "reshape";
}

export type Node =
  | DenseNode
  | ConvNode
  | DepthwiseNode
  | PoolNode
  | GlobalPoolNode
  | BatchNormNode
  | ActivationNode
  | LeakyReluNode
  | ClipNode
  | PadNode
  | ConcatNode
  | AddNode
  | GruNode
  | ReshapeNode;
