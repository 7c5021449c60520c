import { map, type OperatorFunction } from "rxjs";
import type { Shape } from "../../models/tensor.ts";
import { samplesToNs } from "../event-time.ts";
import type { Features, Frame } from "../signal.ts";

/** The features of a frame: its times, and `data` of a shape. */
export const featuresOf = (frame: Frame, shape: Shape, data: Float32Array): Features => {
  const fromNs = frame.startAtNs;
  const toNs = fromNs + samplesToNs(frame.samples.length / frame.channels.length, frame.sampleRateHz);
  const atNs = frame.eventAtNs ?? (fromNs + toNs) / 2n;
  return { stream: frame.stream, fromNs, toNs, shape, data, atNs, ...(frame.index === 0 && { afterGap: true }) };
};

/** Means and standard deviations; lists shorter than the data repeat. */
export interface Moments {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** `(x − mean) / std`, position by position, as a new array. */
export const standardised = (values: ArrayLike<number>, { mean, std }: Moments): Float32Array => {
  const out = new Float32Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = (values[i]! - mean[i % mean.length]!) / std[i % std.length]!;
  return out;
};

/**
 * Bring each frame to a mean of 0 and a spread of 1 by the moments of the training set.
 *
 *   frames     --[98 × 40]----|
 *              normalise({ mean, std }, [1, 98, 40])
 *   features   --[1, 98, 40]--|
 */
export const normalise = (moments: Moments, shape: Shape): OperatorFunction<Frame, Features> =>
  map((frame) => featuresOf(frame, shape, standardised(frame.samples, moments)));

/** Take each frame as it is for features. */
export const asFeatures = (shape: Shape): OperatorFunction<Frame, Features> =>
  map((frame) => featuresOf(frame, shape, frame.samples));
