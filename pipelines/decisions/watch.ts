import type { DecisionRule } from "../../models/manifest.ts";
import type { RecentSamples } from "../recent-samples.ts";
import type { Anomaly, AnomalyChange, Evidence } from "../signal.ts";
import { Alarm, type AlarmChange, type AlarmState, type ScoredFrame } from "./alarm.ts";

/** Where a watch cuts its evidence. */
export interface EvidenceSource {
  readonly recent: RecentSamples;
  /** Numbers in one piece of evidence, at most. */
  readonly maxEvidenceValues: number;
}

/** A frame with a score, and whose it is. */
export interface WatchedFrame extends ScoredFrame {
  readonly stream: string;
  /** Who gave the score. */
  readonly model: string;
}

/**
 * An alarm with what makes an anomaly of it: id, severity and evidence. The id is `stream/kind/onset`, the onset in base
 * 36, so that a replay gives the same. The evidence is the raw signal of the anomaly with one frame before and one
 * after, as far as it is there.
 */
export class Watch {
  readonly rule: DecisionRule;
  readonly #alarm: Alarm;
  readonly #source: EvidenceSource;
  #raisedBy: WatchedFrame | undefined;
  #evidence: Evidence | undefined;
  #last: Anomaly | undefined;

  /** @throws RangeError when the rule cannot be met */
  constructor(rule: DecisionRule, source: EvidenceSource) {
    this.rule = rule;
    this.#alarm = new Alarm(rule);
    this.#source = source;
  }

  /** The anomaly as it was last told, while it lasts. */
  get active(): Anomaly | undefined {
    return this.#last;
  }

  /** Take a frame, in order of time. */
  take(frame: WatchedFrame): AnomalyChange | undefined {
    const change = this.#alarm.take(frame);
    if (change?.type === "new") {
      this.#raisedBy = frame;
      this.#evidence = undefined;
    }
    return change && this.#anomaly(change);
  }

  /** End what is active: a gap came, or the end of the stream. */
  close(): AnomalyChange | undefined {
    const change = this.#alarm.close();
    return change && this.#anomaly(change);
  }

  #anomaly({ type, state }: AlarmChange): AnomalyChange {
    const { stream, model, fromNs, toNs } = this.#raisedBy!;
    const { label: kind, severity } = this.rule;
    this.#evidence = this.#longerEvidence(state, toNs - fromNs);
    const id = `${stream}/${kind}/${state.fromNs.toString(36)}`;
    const anomaly = { id, stream, kind, severity, ...state, model, evidence: this.#evidence };
    this.#last = type === "end" ? undefined : anomaly;
    return { type, anomaly };
  }

  /** What was cut before, or a cut of now where that has more; onsets leave the memory, ends come into it. */
  #longerEvidence({ fromNs, toNs }: AlarmState, marginNs: bigint): Evidence {
    const { recent, maxEvidenceValues } = this.#source;
    const before = this.#evidence;
    const whole = recent.cut(fromNs - marginNs, toNs + marginNs);
    const nothing = { startAtNs: fromNs, sampleRateHz: 1, channels: [], samples: new Float32Array(0) };
    if (whole === undefined) return before ?? nothing;
    const rows = Math.max(1, Math.floor(maxEvidenceValues / whole.channels.length));
    const cut = { ...whole, samples: whole.samples.slice(0, rows * whole.channels.length) };
    const goesOn =
      before === undefined || (cut.startAtNs <= before.startAtNs && cut.samples.length > before.samples.length);
    return goesOn ? cut : before;
  }
}
