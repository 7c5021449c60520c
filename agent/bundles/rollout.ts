import type { Model } from "../../models/model.ts";
import type { Config } from "../config/schema.ts";
import { percent } from "../percent.ts";
import { type StreamRunner, sentenceOf } from "../stream-runner.ts";

/** What a stream saw of two models side by side, in one phase. */
interface Seen {
  frames: number;
  agreed: number;
  alarms: { before: number; after: number };
  /** Label of the last frame of the model that counts. */
  label: string | undefined;
}

/** How a rollout goes on. */
export type RolloutPhase = "shadow" | "watch" | "done" | "failed";

/** What is told of a rollout. */
export interface RolloutReport {
  readonly phase: RolloutPhase;
  /** Why it failed. */
  readonly reason?: string;
  /** Frames of the new model, by stream, in the last phase. */
  readonly frames: Readonly<Record<string, number>>;
  /** Share of frames in which both gave the same label, over all streams. */
  readonly agreement: number;
}

const unseen = (): Seen => ({ frames: 0, agreed: 0, alarms: { before: 0, after: 0 }, label: undefined });

/**
 * A new model takes the place of another in all streams that use it: first it runs along unheard, then it counts and the
 * one before runs along, ready to come back. It goes back at once where the new one fails, gives what is no number, gives
 * other labels too often, or raises more anomalies than the one before by too many. Streams do not miss a frame.
 */
export class Rollout {
  readonly #runners: ReadonlyMap<string, StreamRunner>;
  readonly #settings: Config["bundles"];
  readonly #onPhase: (report: RolloutReport) => void;
  readonly #seen = new Map<string, Seen>();
  /** Whether labels mean the same: both are classifiers with the same ones. */
  readonly #isComparable: boolean;
  #phase: RolloutPhase = "shadow";
  #isStepping = false;

  /**
   * Begin.
   * @param onPhase told of each new phase; after `done` and `failed` comes no other
   * @throws where the model does not fit a stream; then nothing has changed
   */
  constructor(
    runners: ReadonlyMap<string, StreamRunner>,
    model: Model,
    settings: Config["bundles"],
    onPhase: (report: RolloutReport) => void,
  ) {
    this.#runners = runners;
    this.#settings = settings;
    this.#onPhase = onPhase;
    const [first] = runners.values();
    const before = first?.model.manifest;
    this.#isComparable =
      before?.task === "classifier" &&
      model.manifest.task === "classifier" &&
      before.labels.join("\0") === model.manifest.labels.join("\0");
    try {
      for (const [stream, runner] of runners) this.#watch(stream, runner, model);
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  get phase(): RolloutPhase {
    return this.#phase;
  }

  /** Stop: the model that counts now goes on alone. */
  cancel(): void {
    for (const runner of this.#runners.values()) runner.endTrial();
  }

  report(reason?: string): RolloutReport {
    const seen = [...this.#seen.values()];
    const frames = seen.reduce((sum, one) => sum + one.frames, 0);
    const agreed = seen.reduce((sum, one) => sum + one.agreed, 0);
    return {
      phase: this.#phase,
      ...(reason !== undefined && { reason }),
      frames: Object.fromEntries([...this.#seen].map(([stream, one]) => [stream, one.frames])),
      agreement: frames === 0 ? 1 : agreed / frames,
    };
  }

  #watch(stream: string, runner: StreamRunner, model: Model): void {
    this.#seen.set(stream, unseen());
    const seen = (): Seen => this.#seen.get(stream)!;
    /** In the shadow the live one is the one before; while it is watched, the new one. */
    const isNew = (isLive: boolean): boolean => isLive === (this.#phase === "watch");
    runner.tryModel(model, {
      classification: ({ label, scores }, isLive) => {
        if (!isNew(isLive)) {
          seen().label = label;
          return;
        }
        const bad = scores.findIndex((score) => !Number.isFinite(score));
        if (bad >= 0) {
          this.#fail(`${stream}: expected scores that are numbers, got ${scores[bad]}`);
          return;
        }
        seen().frames++;
        if (!this.#isComparable || seen().label === undefined || label === seen().label) seen().agreed++;
        this.#advance();
      },
      change: ({ type }, isLive) => {
        if (type !== "new") return;
        const { alarms } = seen();
        alarms[isNew(isLive) ? "after" : "before"]++;
        const extra = alarms.after - alarms.before;
        if (extra <= this.#settings.maxExtraAlarms) return;
        this.#fail(
          `${stream}: expected at most ${this.#settings.maxExtraAlarms} anomalies more than before, got ${extra}`,
        );
      },
      failed: (error, isLive) => {
        if (isNew(isLive)) this.#fail(`${stream}: its pipeline failed: ${sentenceOf(error)}`);
      },
    });
  }

  #advance(): void {
    const { shadowFrames, watchFrames, leastAgreement } = this.#settings;
    const wanted = this.#phase === "shadow" ? shadowFrames : watchFrames;
    if ([...this.#seen.values()].some(({ frames }) => frames < wanted)) return;
    const { agreement } = this.report();
    if (agreement < leastAgreement) {
      this.#fail(`expected the same label in ${percent(leastAgreement)} of frames, got ${percent(agreement)}`);
      return;
    }
    if (this.#isStepping) return;
    this.#isStepping = true;
    // Not from within a frame: the pipeline that says this is in the middle of it.
    queueMicrotask(() => {
      this.#isStepping = false;
      this.#step();
    });
  }

  #step(): void {
    if (this.#phase === "shadow") {
      this.#phase = "watch";
      for (const [stream, runner] of this.#runners) {
        this.#seen.set(stream, unseen());
        runner.swap();
      }
      this.#onPhase(this.report());
    } else if (this.#phase === "watch") {
      this.#phase = "done";
      const report = this.report();
      this.cancel();
      this.#onPhase(report);
    }
  }

  #fail(reason: string): void {
    if (this.#phase === "done" || this.#phase === "failed") return;
    const wasLive = this.#phase === "watch";
    this.#phase = "failed";
    const report = this.report(reason);
    queueMicrotask(() => {
      if (wasLive) for (const runner of this.#runners.values()) runner.swap();
      this.cancel();
      this.#onPhase(report);
    });
  }
}
