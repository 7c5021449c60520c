import { describe, expect, it } from "vitest";
import type { BeatLead } from "../../../agent/datasets/ecg-beats.ts";
import { type Rearrangement, rearranged } from "../../../agent/datasets/rearranged-beats.ts";

const sampleRateHz = 360;
const pHeight = 0.15;
/** A steady heart: P waves of 0.15 mV 0.16 s before R peaks of 1 mV, every 0.8 s. */
const steady = (beats: number): BeatLead => {
  const samples = new Float32Array(Math.round((beats + 2) * 0.8 * sampleRateHz));
  const times = Array.from({ length: beats }, (_, i) => 0.8 * (i + 1));
  for (let i = 0; i < samples.length; i++) {
    const phase = ((i / sampleRateHz + 0.4) % 0.8) - 0.4;
    samples[i] = Math.exp(-0.5 * (phase / 0.012) ** 2) + pHeight * Math.exp(-0.5 * ((phase + 0.16) / 0.02) ** 2);
  }
  return { sampleRateHz, samples, beats: times.map((t) => ({ atNs: BigInt(Math.round(t * 1e9)), kind: "N" })) };
};
const lead = steady(300);
const made = (how: Rearrangement, seed = 1): BeatLead => rearranged(lead, how, seed, 0)!;
const sampleOf = (atNs: bigint): number => Math.round((Number(atNs) / 1e9) * sampleRateHz);
const intervalsOf = ({ beats }: BeatLead): number[] =>
  beats.slice(1).map(({ atNs }, i) => Number(atNs - beats[i]!.atNs) / 1e9);

describe("rearranged", () => {
  it.each(["sick-sinus", "fibrillation"] as const)(
    "has an R peak as high as the heart's own at each beat of %s",
    (how) => {
      const { samples, beats } = made(how);
      expect(beats.length).toBe(1200);
      for (const { atNs } of beats) expect(samples[sampleOf(atNs)]).toBeCloseTo(1, 2);
    },
  );

  it("makes a sick sinus: early beats in the majority, each sooner than the slow beats come", () => {
    for (const seed of [1, 2, 3, 4]) {
      const heart = made("sick-sinus", seed);
      const rr = intervalsOf(heart);
      const early = rr.filter((_, i) => heart.beats[i + 1]!.kind === "S");
      const slow = rr.filter((_, i) => heart.beats[i + 1]!.kind === "N");
      expect(early.length).toBeGreaterThan(0.4 * rr.length);
      expect(Math.max(...early) / Math.min(...slow)).toBeLessThan(1.4);
      expect(early.reduce((a, b) => a + b) / early.length).toBeLessThan(
        (0.8 * slow.reduce((a, b) => a + b)) / slow.length,
      );
    }
  });

  it("makes fibrillation: normal beats alone, intervals that change by 12 to 45 % each, no P waves", () => {
    const heart = made("fibrillation");
    expect(heart.beats.every(({ kind }) => kind === "N")).toBe(true);
    const changes = intervalsOf(heart).flatMap((rr, i, all) => (i > 0 ? [Math.log(rr / all[i - 1]!) ** 2] : []));
    const change = Math.sqrt(changes.reduce((a, b) => a + b) / changes.length);
    // √2 of a deviation of 0.12 … 0.3.
    expect(change).toBeGreaterThan(0.15);
    expect(change).toBeLessThan(0.45);
    const roomy = heart.beats.filter((_, i) => (intervalsOf(heart)[i - 1] ?? 0) > 0.75);
    for (const { atNs } of roomy) {
      expect(Math.abs(heart.samples[sampleOf(atNs) - Math.round(0.16 * sampleRateHz)]!)).toBeLessThan(0.2 * pHeight);
    }
  });

  it("is the same for a seed, another for another, and nothing where normal beats are too few", () => {
    expect(made("sick-sinus")).toEqual(made("sick-sinus"));
    expect(intervalsOf(made("sick-sinus", 2))).not.toEqual(intervalsOf(made("sick-sinus")));
    expect(rearranged(steady(150), "sick-sinus", 1, 0)).toBeUndefined();
  });
});
