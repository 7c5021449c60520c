import type { Feedback, FeedbackMark } from "../store/alarm-desk.ts";

/** Labelled anomalies read at once, with their signals. */
const mostAtOnce = 4;

/** Gives the labelled anomalies behind a mark, at most so many. */
export type FeedbackSource = (after: FeedbackMark | undefined, limit: number) => readonly Feedback[];

/** What people said of anomalies, each once. */
export class LabelledAnomalies {
  readonly #source: FeedbackSource;
  #mark: FeedbackMark | undefined;

  constructor(source: FeedbackSource) {
    this.#source = source;
  }

  /** The next few. */
  next(): readonly Feedback[] {
    const some = this.#source(this.#mark, mostAtOnce);
    this.#mark = some.at(-1)?.mark ?? this.#mark;
    return some;
  }
}
