import type { OperatorFunction } from "rxjs";
import type { DecisionRule, Manifest } from "../../models/manifest.ts";
import { Alarm, type AlarmChange, type AlarmState } from "../decisions/alarm.ts";
import type { RecentSamples } from "../recent-samples.ts";
import type { AnomalyChange, Classification, Evidence } from "../signal.ts";
import { stateful } from "./stateful.ts";

/** Settings of {@link decide}. */
export interface DecideSettings {
  readonly manifest: Pick<Manifest, "task" | "labels">;
  readonly rules: readonly DecisionRule[];
  readonly recent: RecentSamples;
  /** Numbers in one piece of evidence, at most. */
  readonly maxEvidenceValues: number;
}

/**
 * Turn classifications into anomalies that begin, last and end: one alarm a label, by its rule.
 *
 *   classifications   --N--V--V--V--N-----|
 *                     decide({ rules: [{ label: "V", confirm: 2, window: 2, … }], … })
 *   changes           --------n--u-----e--|       n new, u update, e end
 *
 * Updates are sparse: when the peak grew by a tenth or the hits doubled. A gap and the end of the stream end what is
 * active. The id is `stream/kind/onset`, the onset in base 36, so that a replay gives the same. The evidence is the
 * raw signal of the anomaly with one frame before and one after, as far as it is there.
 *
 * @throws RangeError at once, when a rule's label is none of the model's or the rule cannot be met
 */
export const decide = (settings: DecideSettings): OperatorFunction<Classification, AnomalyChange> => {
  const { manifest, rules } = settings;
  for (const rule of rules) {
    if (!manifest.labels.includes(rule.label)) {
      throw new RangeError(`rules: expected a label out of ${manifest.labels.join(", ")}, got ${rule.label}`);
    }
    new Alarm(rule);
  }
  const scoreOf = (classification: Classification, label: string): number =>
    manifest.task === "autoencoder"
      ? classification.scores[0]!
      : classification.scores[manifest.labels.indexOf(label)]!;
  return stateful(() => {
    const watches = rules.map((rule) => new Watch(rule, settings));
    let last: Classification | undefined;
    return {
      *take(classification) {
        if (classification.afterGap && last !== undefined) yield* changes(watches, (watch) => watch.close());
        last = classification;
        yield* changes(watches, (watch) => watch.take(classification, scoreOf(classification, watch.rule.label)));
      },
      *end() {
        yield* changes(watches, (watch) => watch.close());
      },
    };
  });
};

function* changes(
  watches: readonly Watch[],
  step: (watch: Watch) => AnomalyChange | undefined,
): Generator<AnomalyChange> {
  for (const watch of watches) {
    const change = step(watch);
    if (change !== undefined) yield change;
  }
}

/** An alarm with what makes an anomaly of it. */
class Watch {
  readonly rule: DecisionRule;
  readonly #alarm: Alarm;
  readonly #settings: DecideSettings;
  #raisedBy: Classification | undefined;
  #evidence: Evidence | undefined;

  constructor(rule: DecisionRule, settings: DecideSettings) {
    this.rule = rule;
    this.#alarm = new Alarm(rule);
    this.#settings = settings;
  }

  take(classification: Classification, score: number): AnomalyChange | undefined {
    const { fromNs, toNs, atNs } = classification;
    const change = this.#alarm.take({ fromNs, toNs, atNs, score });
    if (change?.type === "new") {
      this.#raisedBy = classification;
      this.#evidence = undefined;
    }
    return change && this.#anomaly(change);
  }

  close(): AnomalyChange | undefined {
    const change = this.#alarm.close();
    return change && this.#anomaly(change);
  }

  #anomaly({ type, state }: AlarmChange): AnomalyChange {
    const { stream, model, fromNs, toNs } = this.#raisedBy!;
    const { label: kind, severity } = this.rule;
    this.#evidence = this.#longerEvidence(state, toNs - fromNs);
    const id = `${stream}/${kind}/${state.fromNs.toString(36)}`;
    return { type, anomaly: { id, stream, kind, severity, ...state, model, evidence: this.#evidence } };
  }

  /** What was cut before, or a cut of now where that has more; onsets leave the memory, ends come into it. */
  #longerEvidence({ fromNs, toNs }: AlarmState, marginNs: bigint): Evidence {
    const { recent, maxEvidenceValues } = this.#settings;
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
