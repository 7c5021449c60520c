import type { AnomalyChange, Classification } from "../pipelines/signal.ts";

/** Those who look on while the agent works. */
export class Observers {
  readonly #ofChanges: ((change: AnomalyChange) => void)[] = [];
  readonly #ofClassifications: ((classification: Classification) => void)[] = [];

  /** Look at each change of an anomaly, after it was recorded. */
  onChange(look: (change: AnomalyChange) => void): void {
    this.#ofChanges.push(look);
  }

  /** Look at each classification. */
  onClassification(look: (classification: Classification) => void): void {
    this.#ofClassifications.push(look);
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
