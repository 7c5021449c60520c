import type { Arena } from "../crossbar/kernels/arena.ts";
import type { FloatPointerKernel } from "../crossbar/kernels/float-simd.ts";
import type { LoopKernel } from "../crossbar/kernels/loops-simd.ts";
import type { Node, Value } from "../network/graph.ts";
import type { SequentialRandom } from "../random.ts";
import type { Shape } from "../tensor.ts";
import type { Parameters } from "./parameters.ts";

/**
 * A layer in training. Arrays hold a batch, `[batch][…shape]`, of which `pass.count` samples are in use.
 * `forward` remembers what `backward` needs, so each backward follows its forward.
 */
export interface Layer {
  readonly outputShape: Shape;
  /** Returns the layer's own array, or `x` itself changed in place. */
  forward(x: Float32Array, pass: Pass): Float32Array;
  /**
   * Adds to the parameters' gradients and returns the gradient of `x`; may change `dy` in place. Where the
   * layer was built without `needsInputGradient`, what it returns has no meaning.
   */
  backward(dy: Float32Array, pass: Pass): Float32Array;
  /** Set the first values of the parameters. */
  initialise(random: SequentialRandom): void;
  /** The layer as nodes of a graph, appended to `nodes`; returns the value it gives. */
  emit(input: Value, nodes: Node[]): Value;
}

/** One run over a batch. */
export interface Pass {
  readonly count: number;
  /** Batch statistics, dropout and noise as in training; else as in inference. */
  readonly training: boolean;
  /** Drawn from in training by layers with chance in them. */
  readonly random: SequentialRandom;
}

/** Where a layer takes its memory, arithmetic and parameters from. */
export interface Build {
  readonly arena: Pick<Arena, "float32" | "int32">;
  readonly kernel: FloatPointerKernel;
  readonly loops: LoopKernel;
  readonly parameters: Parameters;
  /** Samples a batch, at most. */
  readonly batch: number;
  /** Converters and noise to train with; see `hardware.ts`. */
  readonly converters: Converters;
}

/** What stands between digital activations and the crossbar, as training sees it. Absent parts are ideal. */
export interface Converters {
  /** Bits of the DACs, `2^bits − 1` levels over a learned range. */
  readonly activationBits?: number;
  /** Full scale of the DACs of the layers that take the network's input, in its unit. Left out: learned as well. */
  readonly inputMax?: number;
  /** Whether the DACs' range, beside following the inputs, is learned by gradients; see `AnalogInput`. */
  readonly learnInputRange?: boolean;
  /** Bits of one ADC a layer, whose range follows the largest output of the batches so far. */
  readonly adcBits?: number;
  /** Standard deviation of noise on each output, of the largest output of the batches so far. */
  readonly outputNoise?: number;
}
