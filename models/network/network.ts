import type { Shape } from "../tensor.ts";

/** A network that answers. */
export interface Network {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Run one sample. Allocates nothing; writes all of `output`. */
  infer(input: Float32Array, output: Float32Array): void;
  /**
   * What it carries from one inference to the next, where it does: its own memory. Whoever feeds several streams through it
   * puts the stream's states in before an inference and takes them out after it; zeros are the beginning.
   */
  readonly states?: readonly Float32Array[];
  /** Number of the next inference, where it keys the noise of its reads: the same number repeats the same noise. */
  inference?: number;
}
