import { describe, expect, it } from "vitest";
import { type BeatSettings, featureSettings } from "../../../pipelines/features.ts";
import { beatFeatures } from "../../../pipelines/operators/beat-features.ts";
import { frame } from "../../../pipelines/operators/frame.ts";
import { frameAtRPeaks } from "../../../pipelines/operators/frame-at-r-peaks.ts";
import { isMfcc, mfcc, mfccChannels } from "../../../pipelines/operators/mfcc.ts";
import { resample } from "../../../pipelines/operators/resample.ts";
import { spectrum } from "../../../pipelines/operators/spectrum.ts";
import { standardiseFromBaseline } from "../../../pipelines/operators/standardise-from-baseline.ts";
import { block, cut, joined, noise, run, sampled, sine } from "../blocks.ts";
import { contracts, peakDetector } from "../models.ts";

const ms = 1_000_000n;
const counting = Float32Array.from({ length: 9 }, (_, i) => i);

describe("frame", () => {
  it("cuts 0 … 8 into windows of 4 every 2, with times and running numbers", () => {
    const frames = run(cut(counting, [3]), frame({ frameSamples: 4, hopSamples: 2 }));
    expect(frames.map((f) => [...f.samples])).toEqual([
      [0, 1, 2, 3],
      [2, 3, 4, 5],
      [4, 5, 6, 7],
    ]);
    expect(frames.map((f) => f.startAtNs / ms)).toEqual([0n, 2n, 4n]);
    expect(frames.map((f) => f.index)).toEqual([0, 1, 2]);
  });

  it("never spans a gap and begins anew behind it", () => {
    const later = block(counting, { startAtNs: 1000n * ms });
    const frames = run([block(counting), later], frame({ frameSamples: 8, hopSamples: 4 }));
    expect(frames.map((f) => [f.startAtNs / ms, f.index])).toEqual([
      [0n, 0],
      [1000n, 0],
    ]);
  });

  it("says which lengths it expected", () => {
    expect(() => frame({ frameSamples: 400, hopSamples: 0 })).toThrow(
      "hopSamples: expected an integer in 1 … 400, got 0",
    );
  });
});

describe("mfcc", () => {
  const settings = featureSettings(contracts.audio, "mfcc");

  it("makes 98 rows at 100 Hz of one second of sound at 16 kHz", () => {
    const rows = run(cut(noise(16000), [777], { rateHz: 16000 }), mfcc(settings, 16000));
    expect(joined(rows)).toHaveLength(98 * 40);
    expect(rows.every((r) => r.sampleRateHz === 100 && r.channels.length === 40)).toBe(true);
  });

  it("gives c0 = √40 · 255 and nothing else for sound that saturates all bands (an orthonormal DCT of a constant)", () => {
    const [row] = run(
      [
        block(
          noise(480).map((x) => 1e9 * x),
          { rateHz: 16000 },
        ),
      ],
      mfcc(settings, 16000),
    );
    expect(row!.samples[0]).toBeCloseTo(Math.sqrt(40) * 255, 2);
    expect(Math.max(...row!.samples.slice(1).map(Math.abs))).toBeLessThan(1e-3);
  });

  it("passes MFCCs that a sensor computed, and drops those of another make", () => {
    const notes: string[] = [];
    const operator = mfcc(settings, 16000, (reason) => notes.push(reason));
    const good = block(noise(80), { rateHz: 100, channels: mfccChannels(40) });
    const few = block(noise(26), { rateHz: 100, channels: mfccChannels(13) });
    const slow = block(noise(80), { rateHz: 50, channels: mfccChannels(40) });
    expect([isMfcc(good), isMfcc(block([1]))]).toEqual([true, false]);
    expect(run([good, few, slow], operator)).toEqual([good]);
    expect(notes).toEqual(["channels", "rate"]);
  });
});

describe("resample", () => {
  it("stamps its blocks by the time of their first sample", () => {
    const out = run(cut(sampled(sine(5), 1000, 3000), [100], { startAtNs: 7n * ms }), resample({ sampleRateHz: 360 }));
    let samples = 0;
    for (const { startAtNs, samples: part } of out) {
      expect(Number(startAtNs) / 1e9).toBeCloseTo(0.007 + samples / 360, 8);
      samples += part.length;
    }
    expect(samples).toBe(1080);
  });

  it("takes a change of rate in its stride: each part comes at the new rate", () => {
    const first = cut(new Float32Array(1000).fill(1), [100]);
    const second = cut(new Float32Array(500).fill(1), [100], { rateHz: 500, startAtNs: 1000n * ms });
    const out = joined(run([...first, ...second], resample({ sampleRateHz: 250 })));
    expect(out).toHaveLength(500);
    for (const y of out) expect(y).toBeCloseTo(1, 6);
  });

  it("drops a rate that it cannot reach", () => {
    const notes: string[] = [];
    const onDrop = (reason: string, n: number) => notes.push(`${reason} ${n}`);
    expect(run([block([1, 2], { rateHz: 1 })], resample({ sampleRateHz: 1000, onDrop }))).toEqual([]);
    expect(notes).toEqual(["rate 2"]);
  });
});

describe("frameAtRPeaks", () => {
  const settings = { beforeSamples: 20, afterSamples: 30, createDetector: () => peakDetector(0.5) };
  const beatsAt = (rows: readonly number[], length: number) => {
    const signal = new Float32Array(length);
    for (const row of rows) signal[row] = 1;
    return cut(signal, [13], { rateHz: 100 });
  };

  it("cuts each beat around its peak with the intervals to its neighbours", () => {
    const frames = run(beatsAt([100, 180, 240, 340], 400), frameAtRPeaks(settings));
    expect(frames.map((f) => Number(f.eventAtNs!) / 1e7)).toEqual([100, 180, 240, 340]);
    expect(frames.every((f) => f.samples.length === 50 && f.samples[20] === 1)).toBe(true);
    expect(frames.map((f) => f.rr!.beforeSeconds)).toEqual([0.8, 0.8, 0.6, 1]);
    expect(frames.map((f) => f.rr!.afterSeconds)).toEqual([0.8, 0.6, 1, 1]);
  });

  it("counts a pause of more than 3 s as 3 s and does not hold the beat back for longer", () => {
    const frames = run(beatsAt([100, 180, 1000], 1100), frameAtRPeaks(settings));
    expect(frames.map((f) => f.rr!.afterSeconds)).toEqual([0.8, 3, 3]);
  });

  it("gives no frame for a beat whose window the stream does not hold", () => {
    const frames = run(beatsAt([10, 100, 180, 395], 400), frameAtRPeaks(settings));
    expect(frames.map((f) => Number(f.eventAtNs!) / 1e7)).toEqual([100, 180]);
  });

  it("gives the same however the stream is cut", () => {
    const signal = joined(beatsAt([50, 130, 190, 290, 900, 960], 1000));
    const made = [[1], [1000], [37, 5]].map((l) => run(cut(signal, l, { rateHz: 100 }), frameAtRPeaks(settings)));
    expect(made[1]).toEqual(made[0]);
    expect(made[2]).toEqual(made[0]);
  });
});

describe("beatFeatures", () => {
  const channels: BeatSettings["channels"] = ["beat", "template", "rhythm-a", "rhythm-b", "shape-a"];
  const settings: BeatSettings = { kind: "beat", lowHz: 0.5, highHz: 40, order: 2, channels };
  const samples = 16;
  /** A beat of one sample, 8 of 16, on a baseline of 5. */
  const beatOf = (amplitude: number, index: number, rr: readonly [number, number]) => ({
    stream: "s",
    startAtNs: BigInt(index) * 1000n * ms,
    sampleRateHz: 100,
    channels: ["x"],
    samples: Float32Array.from({ length: samples }, (_, i) => (i === 8 ? 5 + amplitude : 5)),
    index,
    eventAtNs: 80n * ms,
    rr: { beforeSeconds: rr[0], afterSeconds: rr[1] },
  });
  const described = (beats: readonly ReturnType<typeof beatOf>[]) =>
    run(beats, beatFeatures(settings, { shape: [1, samples, 5], peakAt: 8 }));
  const channel = (data: Float32Array, c: number) => [...data].filter((_, i) => i % 5 === c);

  it("takes out baseline and amplitude, and shows the median of the beats before as the template", () => {
    const beats = [beatOf(2, 0, [1, 1]), beatOf(2, 1, [1, 1]), beatOf(4, 2, [1, 1]), beatOf(2, 3, [1, 1])];
    const all = described(beats).map((f) => f.data);
    expect(all.map((data) => channel(data, 0)[8])).toEqual([1, 1, 2, 1].map((x) => Math.fround(x / 3)));
    expect(all.map((data) => channel(data, 1)[8])).toEqual([1, 1, 1, 1].map((x) => Math.fround(x / 3)));
    expect(all.map((data) => channel(data, 0)[3])).toEqual([0, 0, 0, 0]);
  });

  it("holds eight numbers a channel, each over an eighth of the samples", () => {
    const [data] = described([beatOf(1, 0, [0.6, 1.2])]).map((f) => f.data);
    const rhythm = channel(data!, 3);
    // Numbers 8 … 15 of the first beat: only the interval after it is unusual.
    const later = 4 * Math.log(2);
    const expected = [0, 0, -later, Math.log(0.02 / 0.05), Math.log(0.03 / 0.05), 4 * Math.log(1.5), 0, later];
    for (let i = 0; i < samples; i++) expect(rhythm[i]).toBeCloseTo(expected[Math.floor(i / 2)]!, 5);
  });

  it("is the same for a signal three times as large", () => {
    const made = [1, 3].map((gain) => {
      const beats = [1, 1.1, 0.9, 2].map((a, i) => beatOf(gain * a, i, [1, 1]));
      return described(beats).flatMap((f) => [...f.data]);
    });
    for (const [i, x] of made[0]!.entries()) expect(made[1]![i]).toBeCloseTo(x, 5);
  });

  it("forgets at a gap what was usual", () => {
    const [, after] = described([beatOf(2, 0, [1, 1]), beatOf(8, 0, [0.5, 0.5])]);
    expect(channel(after!.data, 0)[8]).toBeCloseTo(1 / 3, 6);
    expect(channel(after!.data, 2)).toEqual(
      new Array(samples).fill(expect.closeTo(0, 6)).fill(expect.anything(), 8, 10),
    );
    expect(after!.afterGap).toBe(true);
  });
});

describe("spectrum", () => {
  const settings = featureSettings(contracts.vibration, "spectrum");
  const dataOf = (signal: Float32Array) =>
    run(
      run(cut(signal, [1000], { rateHz: 12000 }), frame({ frameSamples: 4096, hopSamples: 4096 })),
      spectrum(settings, [1, 128, 1]),
    )[0]!.data;

  it("is the same whatever the gain", () => {
    const signal = noise(4096);
    const loud = dataOf(signal.map((x) => 1000 * x));
    for (const [b, x] of dataOf(signal).entries()) expect(loud[b]).toBeCloseTo(x, 4);
  });

  it("has a mean of 0 and its peak where the tone is: 3 kHz of 6 in band 63 of 128", () => {
    const tone = sampled(sine(2988), 12000, 4096); // bin 255, in the middle of bins 253 … 256
    const data = dataOf(noise(4096).map((x, i) => 0.01 * x + tone[i]!));
    expect(data.indexOf(Math.max(...data))).toBe(63);
    expect(data.reduce((a, b) => a + b, 0) / 128).toBeCloseTo(0, 5);
  });

  it("refuses bands that do not divide the bins", () => {
    expect(() => spectrum({ ...settings, bands: 100 }, [1, 100, 1])).toThrow("bands: expected a divisor of 512");
  });
});

describe("standardiseFromBaseline", () => {
  const settings = { baselineRows: 8, clip: 3, relativeStdFloor: 0.001 };
  const rows = [2, 4, 4, 4, 5, 5, 7, 9, 5, 100]; // mean 5, σ 2 of the first eight

  it("measures all rows by the first ones, in standard deviations, cut at ± clip", () => {
    const out = joined(run(cut(rows, [3], { rateHz: 1 }), standardiseFromBaseline(settings)));
    expect(out.map((x) => Math.round(1e6 * x) / 1e6)).toEqual([-1.5, -0.5, -0.5, -0.5, 0, 0, 1, 2, 0, 3]);
  });

  it("drops a stream that ends before its baseline is full", () => {
    const notes: string[] = [];
    const operator = standardiseFromBaseline(settings, (reason, n) => notes.push(`${reason} ${n}`));
    expect(run(cut(rows.slice(0, 7), [4], { rateHz: 1 }), operator)).toEqual([]);
    expect(notes).toEqual(["baseline 4", "baseline 3"]);
  });

  it("does not blow up a channel that stands still: its spread is at least 0.1 % of its mean", () => {
    const still = [...new Array<number>(8).fill(32), 32.032];
    const out = joined(run(cut(still, [9], { rateHz: 1 }), standardiseFromBaseline(settings)));
    expect(out.at(-1)).toBeCloseTo(1, 3);
  });
});
