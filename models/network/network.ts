import type { Shape } from "../tensor.ts";

/** A network that answers. */
export interface Network {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Run one sample. Allocates nothing; writes all of `output`. */
  infer(input: Float32Array, output: Float32Array): void;
}
