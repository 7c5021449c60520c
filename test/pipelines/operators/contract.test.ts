import { concat, EMPTY, from, NEVER, type OperatorFunction, Subject, take, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { featureSettings } from "../../../pipelines/features.ts";
import { beatFeatures } from "../../../pipelines/operators/beat-features.ts";
import { classify } from "../../../pipelines/operators/classify.ts";
import { decide } from "../../../pipelines/operators/decide.ts";
import { fillGaps } from "../../../pipelines/operators/fill-gaps.ts";
import { bandpass } from "../../../pipelines/operators/filter.ts";
import { frame } from "../../../pipelines/operators/frame.ts";
import { frameAtRPeaks } from "../../../pipelines/operators/frame-at-r-peaks.ts";
import { mfcc } from "../../../pipelines/operators/mfcc.ts";
import { asFeatures, normalise } from "../../../pipelines/operators/normalise.ts";
import { orderBySequence } from "../../../pipelines/operators/order-by-sequence.ts";
import { quantise } from "../../../pipelines/operators/quantise.ts";
import { remember } from "../../../pipelines/operators/remember.ts";
import { reorder } from "../../../pipelines/operators/reorder.ts";
import { resample } from "../../../pipelines/operators/resample.ts";
import { sanitise } from "../../../pipelines/operators/sanitise.ts";
import { score } from "../../../pipelines/operators/score.ts";
import { selectChannels } from "../../../pipelines/operators/select-channels.ts";
import { spectrum } from "../../../pipelines/operators/spectrum.ts";
import { standardiseFromBaseline } from "../../../pipelines/operators/standardise-from-baseline.ts";
import { steady } from "../../../pipelines/operators/steady.ts";
import { watchLevels } from "../../../pipelines/operators/watch-levels.ts";
import { RecentSamples } from "../../../pipelines/recent-samples.ts";
import type { Classification, Features, Frame, QuantisedFeatures, SampleBlock } from "../../../pipelines/signal.ts";
import { block, cut, joined, noise, run } from "../blocks.ts";
import { contracts, modelOf, peakDetector, rule } from "../models.ts";

/** What every operator owes, whatever it does. `values` are enough of them to make it speak. */
interface Case {
  readonly name: string;
  readonly values: readonly unknown[];
  readonly operator: () => OperatorFunction<unknown, unknown>;
}

const ofCase = <In>(name: string, values: readonly In[], operator: () => OperatorFunction<In, unknown>): Case => ({
  name,
  values,
  operator: operator as Case["operator"],
});

const pulses = Float32Array.from({ length: 3000 }, (_, i) => (i % 200 === 100 ? 1 : 0));
const blocks = cut(noise(3000), [100]);
const sound = cut(noise(3000), [100], { rateHz: 16000 });
const heart = cut(pulses, [100], { rateHz: 180 });
const two = cut(noise(400), [10], { rateHz: 1, channels: ["a", "b"] });
const frames: Frame[] = run(blocks, frame({ frameSamples: 110, hopSamples: 110 }));
const long: Frame[] = run(cut(noise(9000), [1000]), frame({ frameSamples: 4096, hopSamples: 2048 }));
const features: Features[] = run(frames, asFeatures([1, 110, 1]));
const codes: QuantisedFeatures[] = run(features, quantise({ scale: 0.01 }));
const narrow = { ...contracts.ecg, shape: [1, 110, 1] };
const ecgModel = modelOf("ecg", { input: narrow });
const answers: Classification[] = run(codes, classify(ecgModel));
const windows = run(run(two, frame({ frameSamples: 8, hopSamples: 1 })), asFeatures([1, 8, 2]));
const beat = featureSettings(contracts.ecg, "beat");
const standardised = featureSettings(contracts.sensor, "standardised");
const nothing = { maxEvidenceValues: 100, recent: new RecentSamples({ maxValues: 100 }) };

const onBlocks: readonly Case[] = [
  ofCase("reorder", blocks, () => reorder({ windowBlocks: 2 })),
  ofCase("fillGaps", blocks, () => fillGaps({ maxGapSamples: 3 })),
  ofCase("orderBySequence", blocks, () => orderBySequence({ windowBlocks: 2 })),
  ofCase("sanitise", blocks, () => sanitise({ maxRunSamples: 3 })),
  ofCase("selectChannels", blocks, () => selectChannels(["x"])),
  ofCase("remember", blocks, () => remember(new RecentSamples({ maxValues: 1000 }))),
  ofCase("resample", blocks, () => resample({ sampleRateHz: 360 })),
  ofCase("bandpass", blocks, () => bandpass({ lowHz: 1, highHz: 40, order: 2, sampleRateHz: 1000 })),
  ofCase("frame", blocks, () => frame({ frameSamples: 256, hopSamples: 100 })),
  ofCase("mfcc", sound, () => mfcc(featureSettings(contracts.audio, "mfcc"), 16000)),
  ofCase("frameAtRPeaks", heart, () =>
    frameAtRPeaks({ beforeSamples: 45, afterSamples: 65, createDetector: () => peakDetector(0.5) }),
  ),
  ofCase("watchLevels", blocks, () =>
    watchLevels([{ ...rule("level"), measure: "rms", side: "above", windowMs: 300 }], nothing),
  ),
];

const cases: readonly Case[] = [
  ...onBlocks,
  ofCase("standardiseFromBaseline", two, () => standardiseFromBaseline(standardised)),
  ofCase("normalise", frames, () => normalise({ mean: [0], std: [1] }, [1, 110, 1])),
  ofCase("spectrum", long, () => spectrum(featureSettings(contracts.vibration, "spectrum"), [1, 128, 1])),
  ofCase("beatFeatures", frames, () => beatFeatures(beat, { shape: [1, 110, 5], peakAt: 45 })),
  ofCase("quantise", features, () => quantise({ scale: 0.01 })),
  ofCase("classify", codes, () => classify(ecgModel)),
  ofCase("score", run(windows, quantise({ scale: 0.1 })), () => score(modelOf("sensor"), standardised)),
  ofCase("steady", blocks, () => steady({ stamps: "first" })),
  ofCase("decide", answers, () => decide({ manifest: ecgModel.manifest, rules: [rule("n")], ...nothing })),
];

for (const { name, values, operator } of cases) {
  describe(`${name} behaves as an operator`, () => {
    it("never: says nothing and does not end when nothing comes", () => {
      const seen: unknown[] = [];
      NEVER.pipe(operator())
        .subscribe({ next: (v) => seen.push(v), complete: () => seen.push("end"), error: () => seen.push("error") })
        .unsubscribe();
      expect(seen).toEqual([]);
    });

    it("empty: ends without a value", () => {
      expect(run([], operator())).toEqual([]);
      const ended: string[] = [];
      EMPTY.pipe(operator()).subscribe({ complete: () => ended.push("end") });
      expect(ended).toEqual(["end"]);
    });

    it("one: takes a single value and ends", () => {
      expect(run(values.slice(0, 1), operator()).length).toBeLessThanOrEqual(2);
    });

    it("many: gives values, and the same again to a second subscription", () => {
      const made = operator();
      const first = run(values, made);
      expect(first.length).toBeGreaterThan(0);
      expect(run(values, made)).toEqual(first);
    });

    it("error: passes it on behind what came before, without the rest that an end would give", () => {
      const seen: unknown[] = [];
      const failing = concat(
        from(values),
        throwError(() => new Error("broken")),
      );
      failing.pipe(operator()).subscribe({
        next: () => seen.push("value"),
        complete: () => seen.push("end"),
        error: (error: Error) => seen.push(error.message),
      });
      expect(seen.at(-1)).toBe("broken");
      expect(seen).not.toContain("end");
    });

    it("early unsubscribe: lets go of its source at once", () => {
      const source = new Subject<unknown>();
      const seen: unknown[] = [];
      const subscription = source.pipe(operator(), take(1)).subscribe((v) => seen.push(v));
      for (const value of values) source.next(value);
      subscription.unsubscribe();
      expect(source.observed).toBe(false);
      expect(seen.length).toBeLessThanOrEqual(1);
    });
  });
}

const later = (blocks: readonly SampleBlock[], ns: bigint): SampleBlock[] =>
  blocks.map((b) => ({ ...b, startAtNs: b.startAtNs + ns }));

for (const { name, values, operator } of onBlocks) {
  describe(`${name} at a gap`, () => {
    const before = values as readonly SampleBlock[];
    const after = later(before, 3_600_000_000_000n);
    type Timed = { readonly startAtNs: bigint; readonly samples: Float32Array };
    const made = (some: readonly SampleBlock[]) => run<unknown, unknown>(some, operator()) as Timed[];

    it("gives of either side what it gives of it alone", () => {
      expect(made([...before, ...after])).toEqual([...made(before), ...made(after)]);
    });

    if (name === "reorder") return; // its very work is to refuse such blocks
    it("gives what lies behind a step back in time as if it stood alone", () => {
      expect(made([...after, ...before])).toEqual([...made(after), ...made(before)]);
    });
  });
}

describe("stages between block and block", () => {
  it("give the same samples however the stream is cut", () => {
    const lengths = [[1], [7, 31], [3000]];
    const operators: readonly (readonly [number, () => OperatorFunction<SampleBlock, SampleBlock>])[] = [
      [1000, () => sanitise({ maxRunSamples: 3 })],
      [1000, () => resample({ sampleRateHz: 360 })],
      [1000, () => bandpass({ lowHz: 1, highHz: 40, order: 2, sampleRateHz: 1000 })],
      [16000, () => mfcc(featureSettings(contracts.audio, "mfcc"), 16000)],
      [1000, () => standardiseFromBaseline(standardised)],
    ];
    const signal = noise(3000);
    for (const i of [5, 6, 700, 701, 702, 703, 704, 1500]) signal[i] = Number.NaN;
    for (const [rateHz, operator] of operators) {
      const clean = rateHz === 16000 ? noise(3000) : run([block(signal)], sanitise({ maxRunSamples: 9 }))[0]!.samples;
      const results = lengths.map((l) => joined(run(cut(clean, l, { rateHz }), operator())));
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
    }
    const withNaN = lengths.map((l) => joined(run(cut(signal, l), sanitise({ maxRunSamples: 3 }))));
    expect(withNaN[1]).toEqual(withNaN[0]);
    expect(withNaN[2]).toEqual(withNaN[0]);
  });
});
