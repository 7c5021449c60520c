import type { AnomalyChange, Classification } from "../pipelines/signal.ts";

/** Those who look on while the agent works. */
export class Observers {
  readonly #ofStreams: (() => void)[] = [];
  readonly #ofChanges: ((change: AnomalyChange) => void)[] = [];
  readonly #ofClassifications: ((classification: Classification) => void)[] = [];

  /** Be told that there are other streams than before. */
  onStreams(look: () => void): void {
    this.#ofStreams.push(look);
  }

  /** Look at each change of an anomaly, after it was recorded. */
  onChange(look: (change: AnomalyChange) => void): void {
    this.#ofChanges.push(look);
  }

  /** Look at each classification. */
  onClassification(look: (classification: Classification) => void): void {
    this.#ofClassifications.push(look);
  }

  /** Tell all that there are other streams than before. */
  streams(): void {
    for (const look of this.#ofStreams) look();
  }

  /** Show a change to all. */
  change(change: AnomalyChange): void {
    for (const look of this.#ofChanges) look(change);
  }

  /** Show a classification to all. */
  classification(classification: Classification): void {
    for (const look of this.#ofClassifications) look(classification);
  }
}
