import type { DecisionRule, Manifest } from "../models/manifest.ts";
import type { LevelRule } from "../pipelines/operators/watch-levels.ts";
import type { StreamConfig } from "./config/schema.ts";

/**
 * The decision rules of a stream: those of the model, changed by those of the configuration. A label that only the
 * configuration has takes what it leaves open from a cautious rule.
 *
 * @throws RangeError when a label is none of the model's, or a rule cannot be met
 */
export const decisionRules = (
  { labels, decisions, name }: Pick<Manifest, "labels" | "decisions" | "name">,
  overrides: StreamConfig["decisions"],
): readonly DecisionRule[] => {
  const rules = new Map(decisions.map((rule) => [rule.label, rule]));
  overrides.forEach((override, i) => {
    const key = `decisions.${i}`;
    if (!labels.includes(override.label)) {
      throw new RangeError(
        `${key}.label: expected a label of ${name} (${labels.join(", ")}), got ${JSON.stringify(override.label)}`,
      );
    }
    const given = Object.fromEntries(Object.entries(override).filter(([, value]) => value !== undefined));
    const rule: DecisionRule = { ...cautious(override.label), ...rules.get(override.label), ...given };
    if (rule.leave > rule.enter) {
      throw new RangeError(`${key}.leave: expected a score ≤ enter (${rule.enter}), got ${rule.leave}`);
    }
    if (rule.confirm > rule.window) {
      throw new RangeError(`${key}.confirm: expected at most window (${rule.window}) frames, got ${rule.confirm}`);
    }
    rules.set(override.label, rule);
  });
  return [...rules.values()];
};

/**
 * The level rules of a stream.
 * @throws RangeError when a label is one of the model's or given twice: alarms are told apart by stream and label
 */
export const levelRules = (
  { labels, name }: Pick<Manifest, "labels" | "name">,
  levels: StreamConfig["levels"],
): readonly LevelRule[] =>
  levels.map(({ above, below, leave, ...rest }, i) => {
    const { label } = rest;
    if (labels.includes(label) || levels.findIndex((other) => other.label === label) < i) {
      const taken = labels.includes(label) ? `one of ${name}` : "one that is there already";
      throw new RangeError(`levels.${i}.label: expected a label of its own, got ${JSON.stringify(label)}, ${taken}`);
    }
    const side = above === undefined ? "below" : "above";
    const enter = above ?? below!;
    return { ...rest, side, enter, leave: leave ?? enter };
  });

const cautious = (label: string): DecisionRule => ({
  label,
  severity: "warning",
  enter: 0.9,
  leave: 0.5,
  confirm: 1,
  window: 1,
  refractoryMs: 0,
});
