import { describe, expect, it } from "vitest";
import { type LevelRule, watchLevels } from "../../../pipelines/operators/watch-levels.ts";
import { RecentSamples } from "../../../pipelines/recent-samples.ts";
import type { SampleBlock } from "../../../pipelines/signal.ts";
import { block, cut, run, sampled, sine } from "../blocks.ts";
import { rule } from "../models.ts";

const level = (changes: Partial<LevelRule>): LevelRule => ({
  ...rule("level"),
  measure: "rms",
  side: "above",
  windowMs: 100,
  ...changes,
});
const watch = (blocks: readonly SampleBlock[], rules: readonly LevelRule[], drops: string[] = []): string[] => {
  const recent = new RecentSamples({ maxValues: 1e6 });
  for (const one of blocks) recent.add(one);
  const operator = watchLevels(rules, { recent, maxEvidenceValues: 1e6 }, (reason, n) => drops.push(`${reason} ${n}`));
  return run(blocks, operator).map(({ type, anomaly: { kind, fromNs, toNs, peakScore } }) => {
    const [from, to] = [fromNs, toNs].map((ns) => Number(ns) / 1e9);
    return `${type} ${kind} ${from}–${to} ${Number(peakScore.toFixed(3))}`;
  });
};
const second = (amplitude: number, offset = 0) => sampled((t) => offset + sine(50, amplitude)(t), 1000, 1000);
const signal = (...parts: Float32Array[]) =>
  cut(
    parts.flatMap((part) => [...part]),
    [70],
  );

describe("watchLevels", () => {
  it("measures the rms of a sine as amplitude / √2, whatever its offset, in windows that need not fit the blocks", () => {
    const blocks = signal(second(0.1, 3), second(1, 3), second(0.1, 3));
    expect(watch(blocks, [level({ enter: 0.5, leave: 0.3 })])).toEqual([
      "new level 1–1.1 0.707",
      "update level 1–1.2 0.707",
      "update level 1–1.4 0.707",
      "update level 1–1.8 0.707",
      "end level 1–2 0.707",
    ]);
  });

  it("measures peak and value, and what lies below", () => {
    const blocks = signal(second(1, 5), second(1, -2), second(1, 5));
    const kinds = (rules: Partial<LevelRule>) => watch(blocks, [level(rules)]).filter((c) => !c.startsWith("update"));
    expect(kinds({ measure: "peak", enter: 5.9, leave: 5.9 })).toEqual([
      "new level 0–0.1 6",
      "end level 0–1 6",
      "new level 2–2.1 6",
      "end level 2–3 6",
    ]);
    expect(kinds({ measure: "value", side: "below", enter: 0, leave: 1 })).toEqual([
      "new level 1–1.1 -2",
      "end level 1–2 -2",
    ]);
  });

  it("watches a channel by name and leaves out, counted, blocks that lack it", () => {
    const drops: string[] = [];
    const both = block([0, 9, 0, 9], { rateHz: 10, channels: ["a", "b"] });
    const lacking = block([9, 9], { rateHz: 10, channels: ["a"], startAtNs: 200_000_000n });
    expect(watch([both, lacking], [level({ channel: "b", measure: "peak", enter: 5, leave: 5 })], drops)).toEqual([
      "new level 0–0.1 9",
      "update level 0–0.2 9",
      "end level 0–0.2 9",
    ]);
    expect(drops).toEqual(["level 2"]);
  });

  it("never hits on what is not finite, and ends what is active at a gap", () => {
    const nan = block(new Float32Array(200).fill(Number.NaN));
    expect(watch([nan], [level({ measure: "peak", enter: -1, leave: -1 })])).toEqual([]);
    const loud = [block(second(1)), block(second(1), { startAtNs: 9_000_000_000n })];
    const ends = watch(loud, [level({})]).filter((c) => c.startsWith("end"));
    expect(ends).toEqual(["end level 0–1 0.707", "end level 9–10 0.707"]);
  });

  it("takes one sample a window of a slow sensor", () => {
    const slow = cut([1, 1, 9, 1], [1], { rateHz: 1 });
    expect(watch(slow, [level({ measure: "value", windowMs: 1000, enter: 5, leave: 5 })])).toEqual([
      "new level 2–3 9",
      "end level 2–3 9",
    ]);
  });

  it("refuses thresholds that cross", () => {
    expect(() => watch([], [level({ enter: 1, leave: 2 })])).toThrow("leave: expected a level ≤ above (1), got 2");
    expect(() => watch([], [level({ side: "below", enter: 1, leave: 0 })])).toThrow(
      "leave: expected a level ≥ below (1), got 0",
    );
  });
});
