import { from } from "rxjs";
import { describe, expect, it } from "vitest";
import type { StreamModality } from "../../models/manifest.ts";
import { frontEnd, type PipelineContext, pipelineFor } from "../../pipelines/pipeline.ts";
import type { AnomalyChange, Classification, SampleBlock } from "../../pipelines/signal.ts";
import type { StageName } from "../../pipelines/stages.ts";
import { block, cut, noise, run, sampled, sine } from "./blocks.ts";
import { contracts, modelOf, peakDetector, rule } from "./models.ts";

/** Twenty tones between 200 and 3990 Hz, loud from 1.5 to 2.5 s. */
const chord = (seconds: number): number => {
  const loudness = seconds > 1.5 && seconds < 2.5 ? 0.02 : 0.00002;
  let sum = 0;
  for (let k = 1; k <= 20; k++) sum += Math.sin(1250 * k * seconds + k * k);
  return loudness * sum;
};

/** A signal for each modality in which something happens: what, the models below find. */
const signals: Readonly<Record<StreamModality, (lengths: readonly number[]) => SampleBlock[]>> = {
  audio: (lengths) => cut(sampled(chord, 16000, 64000), lengths, { rateHz: 16000 }),
  ecg: (lengths) => {
    const beats = new Float32Array(180 * 20);
    for (let i = 0; i < 20; i++) beats.set([1, i === 12 ? 9 : 3, 1], 90 + 180 * i);
    return cut(beats, lengths, { rateHz: 180 });
  },
  vibration: (lengths) =>
    cut(
      noise(36000).map((x, i) => 0.1 * x + (i > 18000 ? sine(2000)(i / 12000) : 0)),
      lengths,
      { rateHz: 12000 },
    ),
  sensor: (lengths) =>
    cut(
      noise(400).map((x, i) => x + (i > 240 && i < 300 ? 9 : 0)),
      lengths,
      { rateHz: 1, channels: ["a", "b"] },
    ),
};

/** Says `v` when the features are unlike their first ones. */
const models = {
  audio: modelOf("audio", { decisions: [rule("v", { window: 2 })], infer: (x, y) => answer(y, x[0]! > 300) }),
  ecg: modelOf("ecg", { decisions: [rule("v")], infer: (x, y) => answer(y, Math.max(...x) > 1.5) }),
  vibration: modelOf("vibration", { decisions: [rule("v")], infer: (x, y) => answer(y, Math.max(...x) > 1.5) }),
  sensor: modelOf("sensor", { decisions: [rule("anomaly", { enter: 1, leave: 1, confirm: 3, window: 5 })] }),
};
const answer = (output: Float32Array, isV: boolean) => output.set(isV ? [0.1, 0.9] : [0.9, 0.1]);
const context: PipelineContext = { createDetector: () => peakDetector(0.5) };
const modalities = ["audio", "ecg", "vibration", "sensor"] as const;

const changesOf = (modality: StreamModality, blocks: readonly SampleBlock[], extra: PipelineContext = {}) =>
  run(blocks, (b) => pipelineFor(modality)(models[modality], { ...context, ...extra }).run(b));
const summary = ({ type, anomaly }: AnomalyChange) => `${type} ${anomaly.kind}`;

for (const modality of modalities) {
  describe(`the ${modality} pipeline`, () => {
    it("finds the one thing that happens, from new to end, with evidence", () => {
      const changes = changesOf(modality, signals[modality]([500]));
      expect(changes.map(summary).filter((c) => c.startsWith("new"))).toHaveLength(1);
      expect(changes.map(summary).at(-1)).toMatch(/^end/);
      for (const { anomaly } of changes) expect(anomaly.evidence.samples.length).toBeGreaterThan(0);
    });

    it("gives the same, bit for bit, when it runs again", () => {
      const blocks = signals[modality]([500]);
      expect(changesOf(modality, blocks)).toEqual(changesOf(modality, blocks));
    });

    it("gives the same classifications however the stream is cut, reordered within its window, or repeated", () => {
      const heard = (blocks: readonly SampleBlock[]) => {
        const answers: Classification[] = [];
        changesOf(modality, blocks, { onClassification: (c) => answers.push(c) });
        return answers.map(({ fromNs, label, scores }) => [Number(fromNs / 1000n), label, [...scores]]);
      };
      const whole = heard(signals[modality]([64000]));
      expect(whole.length).toBeGreaterThan(5);
      expect(heard(signals[modality]([100]))).toEqual(whole);
      const shuffled = signals[modality]([100]);
      for (let i = 3; i + 1 < shuffled.length; i += 5)
        [shuffled[i], shuffled[i + 1]] = [shuffled[i + 1]!, shuffled[i]!];
      expect(heard([...shuffled.slice(0, 3), shuffled[1]!, ...shuffled.slice(3)])).toEqual(whole);
    });

    it("is trained on the very features that it runs on", () => {
      const blocks = signals[modality]([500]);
      const seen: number[][] = [];
      const pipeline = pipelineFor(modality)(models[modality], context).watched((stage, value) => {
        if (stage === "normalise") seen.push([...(value as { data: Float32Array }).data]);
      });
      run(blocks, (b) => pipeline.run(b));
      const features = run(blocks, frontEnd(models[modality].manifest, context).upTo("normalise"));
      expect(features.map((f) => [...f.data])).toEqual(seen);
      expect(features[0]!.shape).toEqual(contracts[modality].shape);
    });

    it("survives NaN, nonsense blocks, a foreign rate and a gap", () => {
      const blocks = signals[modality]([20]);
      const nans = blocks[5]!.samples.map((x, i) => (i % 50 < 25 ? Number.NaN : x));
      const hour = 3_600_000_000_000n;
      const broken = [
        ...blocks.slice(0, 5),
        { ...blocks[5]!, samples: nans },
        block([], {}),
        { ...blocks[6]!, sampleRateHz: Number.NaN },
        { ...blocks[7]!, sampleRateHz: 1e7 },
        ...blocks.slice(8).map((b) => ({ ...b, startAtNs: b.startAtNs + hour })),
      ];
      const answers: Classification[] = [];
      changesOf(modality, broken, { onClassification: (c) => answers.push(c) });
      expect(answers.length).toBeGreaterThan(0);
      for (const { scores } of answers) expect([...scores].every(Number.isFinite)).toBe(true);
      for (const { fromNs, toNs } of answers) expect(toNs - fromNs).toBeLessThan(hour);
    });
  });
}

describe("the audio pipeline", () => {
  it("takes MFCCs computed at the sensor and says the same of them as of the sound", () => {
    const labels = (blocks: readonly SampleBlock[]) => {
      const said: string[] = [];
      changesOf("audio", blocks, { onClassification: (c) => said.push(`${c.fromNs} ${c.label}`) });
      return said;
    };
    const sound = signals.audio([1600]);
    const rows = run(sound, pipelineFor("audio")(models.audio, context).upTo("mfcc"));
    expect(labels(rows)).toEqual(labels(sound));
    expect(labels(sound).some((l) => l.endsWith("v"))).toBe(true);
  });

  it("says the same at 48 kHz as at 16 kHz", () => {
    const at = (rateHz: number) => {
      const said: string[] = [];
      const signal = sampled(chord, rateHz, 4 * rateHz);
      changesOf("audio", cut(signal, [rateHz / 10], { rateHz }), { onClassification: (c) => said.push(c.label) });
      return said;
    };
    expect(at(48000)).toEqual(at(16000));
  });
});

describe("a pipeline", () => {
  const names: Readonly<Record<StreamModality, readonly StageName[]>> = {
    audio: ["reorder", "sanitise", "resample", "mfcc", "frame", "normalise", "quantise", "classify", "decide"],
    ecg: ["reorder", "sanitise", "resample", "bandpass", "frame", "normalise", "quantise", "classify", "decide"],
    vibration: ["reorder", "sanitise", "resample", "frame", "normalise", "quantise", "classify", "decide"],
    sensor: ["reorder", "sanitise", "resample", "standardise", "frame", "normalise", "quantise", "classify", "decide"],
  };

  it("is made of at most nine named stages", () => {
    for (const m of modalities) expect(pipelineFor(m)(models[m], context).stageNames).toEqual(names[m]);
  });

  it("can be looked into behind each stage", () => {
    const seen = new Set<string>();
    const pipeline = pipelineFor("sensor")(models.sensor, context).watched((stage) => seen.add(stage));
    from(signals.sensor([10]))
      .pipe(pipeline.run)
      .subscribe();
    expect([...seen].sort()).toEqual([...names.sensor].sort());
  });

  it("says which stages it has when asked for another", () => {
    expect(() => pipelineFor("vibration")(models.vibration, context).upTo("mfcc")).toThrow(
      "name: expected a stage out of reorder, sanitise, resample, frame, normalise, quantise, classify, decide, got mfcc",
    );
  });

  it("refuses a model whose front end or shape does not fit, in a sentence", () => {
    const other = modelOf("audio", { input: { ...contracts.audio, shape: [1, 49, 40] } });
    expect(() => pipelineFor("audio")(other, context)).toThrow(
      "input.shape: expected [1, 98, 40] or [98, 40, 1] by the other settings, got [1, 49, 40]",
    );
    expect(() => pipelineFor("ecg")(modelOf("ecg", { input: contracts.audio }), context)).toThrow(
      "input.features.kind: expected beat for this modality, got mfcc",
    );
    const features = { ...contracts.audio.features, melBands: 0 };
    expect(() => pipelineFor("audio")(modelOf("audio", { input: { ...contracts.audio, features } }), context)).toThrow(
      "input.features.melBands: expected integer in 1 … 256, got 0",
    );
  });
});
