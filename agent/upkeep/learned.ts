/** An anomaly whose true label a person gave, as its model takes it. */
export interface Lesson {
  /** Of the anomaly. */
  readonly id: string;
  /** When the label was given, ms since 1970. */
  readonly atMs: number;
  /** Index of the label. */
  readonly label: number;
  /** Features of its windows. */
  readonly inputs: readonly Float32Array[];
}

/** An input with the label that it should get. */
export interface Kept {
  readonly input: Float32Array;
  readonly label: number;
}

/** What is known of what a chip learned in place; stored with it. */
export interface Learned {
  /** Weights of the last layer [outputs × inputs]; undefined: as trained. */
  readonly weights: Float32Array | undefined;
  /** Labels up to then were learned from; up to `fromMs` they count no more. ms since 1970 */
  readonly untilMs: number;
  readonly fromMs: number;
  /** When it learned in the last day, s of the agent's clock. */
  readonly atClockSeconds: readonly number[];
  /** Inputs of its early life with what the twin clearly took them for: what is not to be forgotten. */
  readonly first: readonly Kept[];
  /** Number of the inference that the last of them was kept at. */
  readonly keptAtInference: number;
}

/** Of a chip that never learned. */
export const unlearned: Learned = {
  ...{ weights: undefined, untilMs: 0, fromMs: 0 },
  ...{ atClockSeconds: [], first: [], keptAtInference: 0 },
};
