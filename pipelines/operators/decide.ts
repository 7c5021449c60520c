import type { OperatorFunction } from "rxjs";
import type { DecisionRule, Manifest } from "../../models/manifest.ts";
import { type EvidenceSource, Watch } from "../decisions/watch.ts";
import type { AnomalyChange, Classification } from "../signal.ts";
import { stateful } from "./stateful.ts";

/** Settings of {@link decide}. */
export interface DecideSettings extends EvidenceSource {
  readonly manifest: Pick<Manifest, "task" | "labels">;
  readonly rules: readonly DecisionRule[];
}

/**
 * Turn classifications into anomalies that begin, last and end: one alarm a label, by its rule.
 *
 *   classifications   --N--V--V--V--N-----|
 *                     decide({ rules: [{ label: "V", confirm: 2, window: 2, … }], … })
 *   changes           --------n--u-----e--|       n new, u update, e end
 *
 * Updates are sparse: when the peak grew by a tenth or the hits doubled, and when suppression begins or ends: an alarm is
 * suppressed while one of the labels in its rule's `suppressedBy` is active. A gap and the end of the stream end what is
 * active.
 *
 * @throws RangeError at once, when a rule's label is none of the model's or the rule cannot be met
 */
export const decide = (settings: DecideSettings): OperatorFunction<Classification, AnomalyChange> => {
  const { manifest, rules } = settings;
  for (const rule of rules) {
    for (const label of [rule.label, ...(rule.suppressedBy ?? [])]) {
      if (!manifest.labels.includes(label)) {
        throw new RangeError(`rules: expected a label out of ${manifest.labels.join(", ")}, got ${label}`);
      }
    }
    new Watch(rule, settings);
  }
  const scoreOf = (classification: Classification, label: string): number =>
    manifest.task !== "classifier" ? classification.scores[0]! : classification.scores[manifest.labels.indexOf(label)]!;
  return stateful(() => {
    const watches = rules.map((rule) => new Watch(rule, settings));
    const suppressed = new Suppression(watches);
    let last: Classification | undefined;
    return {
      *take(classification) {
        if (classification.afterGap && last !== undefined) {
          yield* suppressed.mark(changes(watches, (watch) => watch.close()));
        }
        last = classification;
        const { stream, model, fromNs, toNs, atNs } = classification;
        const changed = changes(watches, (watch) => {
          const score = scoreOf(classification, watch.rule.label);
          return watch.take({ stream, model, fromNs, toNs, atNs, score });
        });
        yield* suppressed.mark(changed);
      },
      *end() {
        yield* suppressed.mark(changes(watches, (watch) => watch.close()));
      },
    };
  });
};

const changes = (
  watches: readonly Watch[],
  step: (watch: Watch) => AnomalyChange | undefined,
): readonly AnomalyChange[] => watches.map(step).filter((change) => change !== undefined);

/** Which alarms are kept silent by others of the same frame. */
class Suppression {
  readonly #watches: readonly Watch[];
  /** Kinds that were last told as suppressed. */
  readonly #told = new Set<string>();

  constructor(watches: readonly Watch[]) {
    this.#watches = watches;
  }

  /** The changes of one frame, marked; then an update of each alarm whose suppression began or ended with them. */
  *mark(changed: readonly AnomalyChange[]): Generator<AnomalyChange> {
    const active = new Set(this.#watches.filter((w) => w.active !== undefined).map((w) => w.rule.label));
    const isSuppressed = (kind: string): boolean =>
      this.#watches.some((w) => w.rule.label === kind && w.rule.suppressedBy?.some((label) => active.has(label)));
    const tell = (type: AnomalyChange["type"], anomaly: AnomalyChange["anomaly"]): AnomalyChange => {
      const now = type !== "end" && isSuppressed(anomaly.kind);
      if (now) this.#told.add(anomaly.kind);
      else this.#told.delete(anomaly.kind);
      return { type, anomaly: now ? { ...anomaly, isSuppressed: true } : anomaly };
    };
    for (const { type, anomaly } of changed) yield tell(type, anomaly);
    for (const { active: anomaly } of this.#watches) {
      if (anomaly !== undefined && this.#told.has(anomaly.kind) !== isSuppressed(anomaly.kind)) {
        yield tell("update", anomaly);
      }
    }
  }
}
