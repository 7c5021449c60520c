import type { AnomalyChange, Classification } from "../pipelines/signal.ts";
import { guarded } from "./guarded.ts";
import type { Emit } from "./telemetry/events.ts";

/** Those who look on while the agent works. What fails in one of them is an event; the streams and the others go on. */
export class Observers {
  readonly #emit: Emit;
  readonly #ofStreams: (() => void)[] = [];
  readonly #ofChanges: ((change: AnomalyChange) => void)[] = [];
  readonly #ofClassifications: ((classification: Classification) => void)[] = [];

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Be told that there are other streams than before. */
  onStreams(look: () => void): void {
    this.#ofStreams.push(guarded(this.#emit, look));
  }

  /** Look at each change of an anomaly, after it was recorded. */
  onChange(look: (change: AnomalyChange) => void): void {
    this.#ofChanges.push(guarded(this.#emit, look));
  }

  /** Look at each classification. */
  onClassification(look: (classification: Classification) => void): void {
    this.#ofClassifications.push(guarded(this.#emit, look));
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
