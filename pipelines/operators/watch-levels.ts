import type { OperatorFunction } from "rxjs";
import type { DecisionRule } from "../../models/manifest.ts";
import { type EvidenceSource, Watch, type WatchedFrame } from "../decisions/watch.ts";
import type { OnDrop } from "../dropped.ts";
import { follows, Timeline } from "../event-time.ts";
import type { AnomalyChange, SampleBlock } from "../signal.ts";
import { stateful } from "./stateful.ts";

/** A plain threshold on the signal as it came in; `enter` and `leave` are in its physical units. */
export interface LevelRule extends DecisionRule {
  /** The first one unless given. */
  readonly channel?: string | undefined;
  /** `rms`: of the deviation from the window's mean; `peak`: largest magnitude; `value`: mean. */
  readonly measure: "rms" | "peak" | "value";
  /** Which side of `enter` raises it. */
  readonly side: "above" | "below";
  /** Length of a window, ms > 0; at least one sample. Windows follow each other without overlap. */
  readonly windowMs: number;
}

/**
 * Watch levels beside the classifier: what is louder, higher or lower than a threshold becomes an anomaly of the rule's
 * label, by the same alarm as classifications.
 *
 *   blocks    --[0 0]--[9 9]--[9 9]--[0 0]--|
 *             watchLevels([{ measure: "peak", side: "above", enter: 5, … }], source)
 *   changes   ---------n------u------e------|
 *
 * A gap and the end of the stream end what is active. Samples that are not finite count for nothing; a block without
 * the channel is left out, reason `level`.
 *
 * @throws RangeError at once, when a rule cannot be met
 */
export const watchLevels = (
  rules: readonly LevelRule[],
  source: EvidenceSource,
  onDrop?: OnDrop,
): OperatorFunction<SampleBlock, AnomalyChange> => {
  for (const rule of rules) new LevelWatch(rule, source);
  return stateful(() => {
    const watches = rules.map((rule) => new LevelWatch(rule, source));
    let last: SampleBlock | undefined;
    return {
      *take(block) {
        const goesOn = last !== undefined && follows(last, block);
        last = block;
        for (const watch of watches) {
          if (!goesOn) yield* watch.close();
          yield* watch.take(block, onDrop);
        }
      },
      *end() {
        for (const watch of watches) yield* watch.close();
      },
    };
  });
};

class LevelWatch {
  readonly #rule: LevelRule;
  readonly #watch: Watch;
  /** +1, or −1 where less is worse: the alarm knows only more. */
  readonly #sign: 1 | -1;
  #meter: { readonly time: Timeline; readonly windowRows: number; row: number } | undefined;
  #window = new LevelWindow();

  constructor(rule: LevelRule, source: EvidenceSource) {
    if (!(rule.windowMs > 0)) throw new RangeError(`windowMs: expected a number > 0, got ${rule.windowMs}`);
    const sign = rule.side === "above" ? 1 : -1;
    if (!(sign * rule.leave <= sign * rule.enter)) {
      const order = rule.side === "above" ? "≤" : "≥";
      throw new RangeError(`leave: expected a level ${order} ${rule.side} (${rule.enter}), got ${rule.leave}`);
    }
    this.#rule = rule;
    this.#sign = sign;
    this.#watch = new Watch({ ...rule, enter: sign * rule.enter, leave: sign * rule.leave }, source);
  }

  *take(block: SampleBlock, onDrop: OnDrop | undefined): Generator<AnomalyChange> {
    const { stream, sampleRateHz, channels, samples, startAtNs } = block;
    const { channel, measure, windowMs } = this.#rule;
    const at = channel === undefined ? 0 : channels.indexOf(channel);
    if (at < 0) {
      onDrop?.("level", samples.length / channels.length);
      return;
    }
    const windowRows = Math.max(1, Math.round((windowMs * sampleRateHz) / 1000));
    this.#meter ??= { time: new Timeline(sampleRateHz), windowRows, row: 0 };
    const meter = this.#meter;
    meter.time.pin(meter.row, startAtNs);
    for (let i = at; i < samples.length; i += channels.length) {
      this.#window.add(samples[i]!);
      meter.row++;
      if (this.#window.rows < meter.windowRows) continue;
      const [fromNs, toNs] = [meter.time.at(meter.row - meter.windowRows), meter.time.at(meter.row)];
      const score = this.#sign * this.#window[measure]();
      this.#window = new LevelWindow();
      yield* this.#told({ stream, model: "level", fromNs, toNs, atNs: (fromNs + toNs) / 2n, score });
    }
  }

  *close(): Generator<AnomalyChange> {
    this.#meter = undefined;
    this.#window = new LevelWindow();
    const change = this.#watch.close();
    if (change !== undefined) yield this.#inUnits(change);
  }

  *#told(frame: WatchedFrame): Generator<AnomalyChange> {
    const change = this.#watch.take(frame);
    if (change !== undefined) yield this.#inUnits(change);
  }

  #inUnits({ type, anomaly }: AnomalyChange): AnomalyChange {
    return { type, anomaly: { ...anomaly, peakScore: this.#sign * anomaly.peakScore } };
  }
}

/** Sums over one window of one channel. */
class LevelWindow {
  rows = 0;
  #finite = 0;
  #sum = 0;
  #squares = 0;
  #peak = 0;

  add(x: number): void {
    this.rows++;
    if (!Number.isFinite(x)) return;
    this.#finite++;
    this.#sum += x;
    this.#squares += x * x;
    this.#peak = Math.max(this.#peak, Math.abs(x));
  }

  /** NaN where nothing was finite, which is never a hit. */
  value(): number {
    return this.#sum / this.#finite;
  }

  rms(): number {
    return Math.sqrt(Math.max(0, this.#squares / this.#finite - this.value() ** 2));
  }

  peak(): number {
    return this.#finite === 0 ? Number.NaN : this.#peak;
  }
}
