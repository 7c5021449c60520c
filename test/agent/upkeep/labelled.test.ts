import { describe, expect, it } from "vitest";
import { configSchema } from "../../../agent/config/schema.ts";
import { modelBytes, openModel } from "../../../agent/models.ts";
import { offlineBlockSeconds, runOffline } from "../../../agent/offline.ts";
import { openRecording } from "../../../agent/recordings/open.ts";
import type { Feedback } from "../../../agent/store/alarm-desk.ts";
import { LabelledAnomalies } from "../../../agent/upkeep/labelled.ts";
import { lessonOf } from "../../../agent/upkeep/lesson-of.ts";
import { parseModel } from "../../../models/load.ts";
import { argmax } from "../../../models/tensor.ts";
import type { Anomaly } from "../../../pipelines/signal.ts";

const digital = configSchema.shape.chip.parse({ device: "digital" });

/** The anomalies of a recording, as feedback that each is what it was taken for. */
const feedbackOf = async (model: string, file: string): Promise<readonly Feedback[]> => {
  const ended: Anomaly[] = [];
  runOffline((await openRecording(file)).blocks(offlineBlockSeconds), openModel(model, digital), {
    onChange: ({ type, anomaly }) => type === "end" && ended.push(anomaly),
  });
  return ended.map(({ evidence, ...anomaly }, n) => {
    const row = { ...anomaly, state: "ended" as const, alarm: "normal" as const };
    return { mark: { atMs: 1000 + n, id: anomaly.id }, anomaly: row, label: anomaly.kind, evidence };
  });
};

describe("A labelled anomaly", () => {
  it.each([
    // Single beats lack the beats around them, which a rhythm is known by.
    ["ecg-beats", "fixtures/ecg/ecg.hea", 0.55],
    ["keywords-12", "fixtures/audio/scene.wav", 0.95],
  ])("gives the windows that raised it, made anew from its signal: %s", async (model, file, least) => {
    const { manifest } = parseModel(modelBytes(model));
    const { network } = openModel(model, digital);
    const feedback = await feedbackOf(model, file);
    expect(feedback.length).toBeGreaterThan(8);
    let [windows, same] = [0, 0];
    for (const one of feedback) {
      const lesson = lessonOf(one, manifest);
      if (typeof lesson === "string") throw new Error(lesson);
      expect(lesson).toMatchObject({ id: one.anomaly.id, atMs: one.mark.atMs });
      expect(manifest.labels[lesson.label]).toBe(one.label);
      const scores = new Float32Array(manifest.labels.length);
      for (const input of lesson.inputs) {
        network.infer(input, scores);
        windows++;
        if (argmax(scores) === lesson.label) same++;
      }
    }
    expect(windows).toBeGreaterThanOrEqual(feedback.length);
    expect(same / windows).toBeGreaterThanOrEqual(least);
  });

  it("with a label that the model has not, or without its signal, is left out and told; each is taken once", async () => {
    const { manifest } = parseModel(modelBytes("keywords-12"));
    const [first, second, third] = await feedbackOf("keywords-12", "fixtures/audio/scene.wav");
    const all: readonly Feedback[] = [
      { ...first!, label: "hammer" },
      { ...second!, evidence: undefined },
      { ...third!, label: "no" },
      { ...third!, anomaly: { ...third!.anomaly, model: "other" }, mark: { atMs: 5000, id: "other" } },
    ];
    const labelled = new LabelledAnomalies((after, limit) =>
      all.filter(({ mark }) => mark.atMs > (after?.atMs ?? 0)).slice(0, limit),
    );
    expect(labelled.next()).toEqual(all);
    expect(labelled.next()).toEqual([]);
    expect(all.slice(0, 3).map((feedback) => lessonOf(feedback, manifest))).toEqual([
      `${first!.anomaly.id}: expected a label of keywords-12 (${manifest.labels.join(", ")}) to learn from, got hammer`,
      `${second!.anomaly.id}: expected its signal to have a window to learn from, got none`,
      expect.objectContaining({ id: third!.anomaly.id, label: manifest.labels.indexOf("no") }),
    ]);
  });
});
