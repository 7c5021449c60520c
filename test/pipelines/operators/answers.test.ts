import { describe, expect, it } from "vitest";
import { featureSettings } from "../../../pipelines/features.ts";
import { classify } from "../../../pipelines/operators/classify.ts";
import { decide } from "../../../pipelines/operators/decide.ts";
import { quantise } from "../../../pipelines/operators/quantise.ts";
import { score } from "../../../pipelines/operators/score.ts";
import { RecentSamples } from "../../../pipelines/recent-samples.ts";
import type { Classification, Features } from "../../../pipelines/signal.ts";
import { block, cut, noise, run } from "../blocks.ts";
import { contracts, modelOf, rule } from "../models.ts";

const s = 1_000_000_000n;

const features = (data: readonly number[], second = 0, afterGap = false): Features => ({
  stream: "s",
  fromNs: BigInt(second) * s,
  toNs: BigInt(second + 1) * s,
  atNs: BigInt(second) * s + s / 2n,
  shape: [data.length],
  data: Float32Array.from(data),
  ...(afterGap && { afterGap }),
});

describe("quantise", () => {
  it("rounds half to even and cuts at ±127 codes", () => {
    const [out] = run([features([0.25, 0.75, -0.26, 1000, -1000])], quantise({ scale: 0.5 }));
    expect([...out!.tensor.data]).toEqual([0, 2, -1, 127, -127]);
    expect(out!.tensor).toMatchObject({ scale: 0.5, zeroPoint: 0, shape: [5] });
  });

  it("refuses a scale of 0", () => {
    expect(() => quantise({ scale: 0 })).toThrow("scale: expected a finite number > 0, got 0");
  });
});

describe("classify", () => {
  const input = { ...contracts.ecg, shape: [1, 2, 1] };
  const codes = (data: readonly number[]) => run([features(data)], quantise({ scale: 0.5 }));

  it("gives the network real values of the codes, and answers with the best label, its probability and margin", () => {
    const seen: number[] = [];
    const infer = (x: Float32Array, y: Float32Array) => {
      seen.push(...x);
      y.set([0.1, 0.7, 0.2]);
    };
    const model = modelOf("ecg", { input, labels: ["N", "V", "S"], infer });
    const [answer] = run(codes([1, 2.4]), classify(model));
    expect(seen).toEqual([1, 2.5]);
    expect(answer).toMatchObject({ label: "V", model: "tiny-ecg", fromNs: 0n, toNs: s });
    expect(answer!.probability).toBeCloseTo(0.7, 6);
    expect(answer!.margin).toBeCloseTo(0.5, 6);
    expect(answer!.scores).toHaveLength(3);
  });

  it("refuses a network for other features, or with another number of labels, naming the model", () => {
    const model = modelOf("ecg", { input });
    const network = { ...model.network, inputShape: [1, 3, 1] };
    expect(() => classify({ ...model, network })).toThrow(
      "tiny-ecg: expected a network that takes the features [1, 2, 1], got one for [1, 3, 1]",
    );
    const other = { ...model, network: { ...model.network, outputShape: [5] } };
    expect(() => classify(other)).toThrow("tiny-ecg: expected a network with 2 outputs, got [5]");
  });
});

describe("score", () => {
  // The network gives back zeros, so the error of a window is the mean square of its values.
  const settings = { ...featureSettings(contracts.sensor, "standardised"), baselineRows: 10, scoredRows: 1 };
  const model = modelOf("sensor");
  const windowOf = (last: number, second: number) => features([...new Array<number>(14).fill(3), last, last], second);
  const codes = (lasts: readonly number[]) => run(lasts.map(windowOf), quantise({ scale: 1 }));

  it("sets its threshold by the first windows, then scores all by their last rows", () => {
    // Baseline: 10 rows hold 3 windows of 8; errors 1, 4, 1; threshold 1.5 · 4 = 6.
    const answers = run(codes([1, 2, 1, 3, 0]), score(model, settings));
    expect(answers.map((a) => a.scores[0])).toEqual([1 / 6, 4 / 6, 1 / 6, 1.5, 0].map((x) => expect.closeTo(x, 6)));
    expect(answers.map((a) => a.label)).toEqual(["normal", "normal", "normal", "anomaly", "normal"]);
    expect(answers[3]!.probability).toBeCloseTo(1.5 / 2.5, 6);
  });

  it("does not let a single window raise it when it takes the median of three", () => {
    const answers = run(codes([1, 1, 1, 9, 1, 9, 9]), score(model, { ...settings, smoothWindows: 3 }));
    expect(answers.map((a) => a.label).lastIndexOf("normal")).toBe(4);
  });

  it("tells as its margin |ln| of the score that decides, smoothed, once there is a threshold", () => {
    const margins: number[] = [];
    const doubt = {
      ...{ policy: "mark" as const, sigmas: 2, reads: 2, twin: model.network },
      ...{ noise: () => undefined, mayAnswer: () => true, onMargin: (margin: number) => margins.push(margin) },
    };
    const answers = run(codes([1, 2, 1, 3, 2, 9, 1, 4]), score({ ...model, doubt }, { ...settings, smoothWindows: 3 }));
    expect(margins.slice(0, 3)).toEqual([Infinity, Infinity, Infinity]);
    const told = answers.slice(3).map((a) => expect.closeTo(Math.abs(Math.log(a.scores[0]!)), 5));
    expect(margins.slice(3)).toEqual(told);
  });

  it("gives nothing before its baseline is there", () => {
    expect(run(codes([1, 2]), score(model, settings))).toEqual([]);
  });

  it("refuses a baseline shorter than a window", () => {
    expect(() => score(model, { ...settings, baselineRows: 7 })).toThrow("expected at least a window of 8 rows, got 7");
  });
});

describe("RecentSamples", () => {
  it("cuts what lies between two times, to the sample", () => {
    const recent = new RecentSamples({ maxValues: 1000 });
    for (const b of cut(
      Float32Array.from({ length: 100 }, (_, i) => i),
      [7],
      { rateHz: 10 },
    ))
      recent.add(b);
    const evidence = recent.cut(2n * s, 3n * s)!;
    expect([...evidence.samples]).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    expect(evidence).toMatchObject({ startAtNs: 2n * s, sampleRateHz: 10, channels: ["x"] });
  });

  it("gives what it has of a longer time, and nothing of a time it knows nothing of", () => {
    const recent = new RecentSamples({ maxValues: 20 });
    for (const b of cut(noise(100), [10], { rateHz: 10 })) recent.add(b);
    expect(recent.cut(0n, 100n * s)!.samples).toHaveLength(20);
    expect(recent.cut(0n, s)).toBeUndefined();
  });

  it("never joins samples over a gap: the later side is given", () => {
    const recent = new RecentSamples({ maxValues: 100 });
    recent.add(block([1, 2], { rateHz: 1 }));
    recent.add(block([5, 6], { rateHz: 1, startAtNs: 10n * s }));
    expect([...recent.cut(0n, 100n * s)!.samples]).toEqual([5, 6]);
  });
});

describe("decide", () => {
  const answer = (second: number, v: number, afterGap = false): Classification => ({
    stream: "bed 3",
    fromNs: BigInt(second) * s,
    toNs: BigInt(second + 1) * s,
    atNs: BigInt(second) * s + s / 2n,
    label: v >= 0.5 ? "v" : "n",
    probability: Math.max(v, 1 - v),
    scores: Float32Array.of(1 - v, v),
    margin: Math.abs(1 - 2 * v),
    model: "tiny",
    ...(afterGap && { afterGap }),
  });
  const manifest = { task: "classifier", labels: ["n", "v"] } as const;
  const recentOf = (seconds: number) => {
    const recent = new RecentSamples({ maxValues: 10_000 });
    for (const b of cut(noise(10 * seconds), [10], { rateHz: 10 })) recent.add(b);
    return recent;
  };
  const settings = { manifest, rules: [rule("v")], recent: recentOf(20), maxEvidenceValues: 1000 };

  it("gives an anomaly one id from new to end, made of stream, kind and onset", () => {
    const changes = run(
      [0, 0, 1, 1, 0].map((v, i) => answer(i, v)),
      decide(settings),
    );
    expect(changes.map((c) => c.type)).toEqual(["new", "update", "end"]);
    const id = `bed 3/v/${(2n * s).toString(36)}`;
    expect(changes.map((c) => c.anomaly.id)).toEqual([id, id, id]);
    expect(changes.at(-1)!.anomaly).toMatchObject({
      fromNs: 2n * s,
      toNs: 4n * s,
      count: 2,
      peakScore: 1,
      severity: "major",
    });
  });

  it("ends what is active at a gap and at the end of the stream", () => {
    const types = (values: readonly Classification[]) => run(values, decide(settings)).map((c) => c.type);
    expect(types([answer(0, 1), answer(1, 1)])).toEqual(["new", "update", "end"]);
    expect(types([answer(0, 1), answer(100, 1, true)])).toEqual(["new", "end", "new", "end"]);
  });

  it("cuts the raw signal with a frame before and after as evidence", () => {
    const [first] = run([answer(4, 0), answer(5, 1), answer(6, 0)], decide(settings));
    expect(first!.anomaly.evidence).toMatchObject({ startAtNs: 4n * s, sampleRateHz: 10 });
    expect(first!.anomaly.evidence.samples).toHaveLength(30);
  });

  it("keeps evidence within its limit, from the onset on", () => {
    const long = Array.from({ length: 15 }, (_, i) => answer(i, 1));
    const changes = run(long, decide({ ...settings, maxEvidenceValues: 25 }));
    for (const { anomaly } of changes) expect(anomaly.evidence.samples.length).toBeLessThanOrEqual(25);
    expect(changes.at(-1)!.anomaly.evidence.startAtNs).toBe(0n);
  });

  it("watches each label by its own rule", () => {
    const rules = [rule("v", { confirm: 2, window: 2 }), rule("n", { enter: 0.9, severity: "warning" })];
    const changes = run([answer(0, 0), answer(1, 1), answer(2, 1)], decide({ ...settings, rules }));
    expect(changes.map((c) => `${c.type} ${c.anomaly.kind} ${c.anomaly.severity}`)).toEqual([
      "new n warning",
      "end n warning",
      "new v major",
      "end v major",
    ]);
  });

  it("marks an alarm as suppressed while another label is active, and tells when that begins and ends", () => {
    const rules = [rule("n", { suppressedBy: ["v"], enter: 0.2, leave: 0.2 }), rule("v")];
    const scores = [0.1, 0.7, 0.1, 0.9];
    const changes = run(
      scores.map((v, i) => answer(i, v)),
      decide({ ...settings, rules }),
    );
    const life = changes.map((c) => `${c.type} ${c.anomaly.kind}${c.anomaly.isSuppressed ? " suppressed" : ""}`);
    expect(life).toEqual(["new n", "update n suppressed", "new v", "end v", "update n", "end n", "new v", "end v"]);
  });

  it("refuses a rule for a label that the model does not have", () => {
    expect(() => decide({ ...settings, rules: [rule("x")] })).toThrow("rules: expected a label out of n, v, got x");
  });
});
