import { describe, expect, it } from "vitest";
import { configSchema } from "../../../agent/config/schema.ts";
import type { Task } from "../../../agent/evaluation/figures.ts";
import { liveThrough } from "../../../agent/evaluation/long-life.ts";
import { modelBytes } from "../../../agent/models.ts";
import { type CareStep, lookAfter, whyNow } from "../../../agent/upkeep/care.ts";
import { type ChipPlan, LivingChip } from "../../../agent/upkeep/living-chip.ts";
import { ServingChip } from "../../../agent/upkeep/serving-chip.ts";
import { inputsKeptOf, someOf, testInputs } from "../../../agent/upkeep/trial-inputs.ts";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../../models/load.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { runningForm } from "../../../models/running-form.ts";
import { sizeOf } from "../../../models/tensor.ts";

const day = 86_400;
const planOf = (name: string, device = "pcm-nandakumar-2019"): ChipPlan => {
  const { graph, manifest } = parseModel(modelBytes(name));
  return { graph: runningForm(graph, manifest), manifest, device: deviceByName(device), seed: 1, kernel: "simd" };
};
const settingsOf = (upkeep: Record<string, unknown> = {}) =>
  configSchema.shape.chip.parse({ compensation: "global", upkeep: { everySeconds: 30 * day, ...upkeep } });

/** 256 inputs like those of the model's test vectors. */
const inputsOf = ({ manifest }: ChipPlan): readonly Float32Array[] => {
  const random = new SequentialRandom(5);
  const known = testInputs(manifest);
  return Array.from({ length: 256 }, (_, i) => known[i % known.length]!.map((x) => x * (0.9 + 0.2 * random.uniform())));
};

/** Margins far from any doubt, as of a model that is sure. */
const sure = new Array<number>(512).fill(20);

/** A life by steps of a twentieth of the age, with what was done and when, and how many inferences there had been. */
const lifeOf = (plan: ChipPlan, perSecond: number, margins: readonly number[], untilSeconds: number) => {
  const chip = new LivingChip(plan, 0);
  chip.remember(inputsOf(plan), margins);
  const done: { readonly step: CareStep; readonly inferences: number; readonly looked: number }[] = [];
  for (let now = 0; now < untilSeconds; now += Math.max(30, Math.min(now / 20, 30 * day))) {
    chip.liveTo(now);
    chip.remember([], [], Math.floor(now * perSecond));
    const why = whyNow(chip, settingsOf());
    if (why === undefined) continue;
    for (const step of lookAfter(chip, settingsOf(), why, "due")) {
      const looked = (step.reads - chip.costs.oneHot.reads) / chip.costs.inference.reads;
      done.push({ step, inferences: chip.inferences, looked });
    }
  }
  return done;
};

describe("Looks at a chip that are merely due", () => {
  it("take, with all other upkeep, less than 1 % of the energy of ten years of inferences of one in five minutes", () => {
    const nothing: Task = { samples: 0, data: "none", score: () => ({ numbers: { none: 0 } }) };
    for (const name of ["sensor-gru", "bearing-faults"]) {
      const plan = planOf(name);
      const inferencesPerSecond = 1 / 300;
      const margins = plan.manifest.task === "forecaster" ? [] : sure;
      const sample = { inputs: inputsOf(plan), margins, inferencesPerSecond };
      const ages = [3650 * day];
      const { steps, joules, inferenceJoules } = liveThrough(
        plan,
        nothing,
        sample,
        settingsOf({ policy: "full" }),
        ages,
      );
      expect(steps["calibrate"]).toBeGreaterThan(120);
      const share = joules / (inferenceJoules * inferencesPerSecond * 3650 * day);
      expect(share).toBeLessThan(0.01);
      expect(share).toBeGreaterThan(0.004); // a 200th is spent on looks
    }
  });

  it("are paid for by 200 inferences each, but for a few inputs whenever the age has doubled", () => {
    for (const perSecond of [1 / 300, 0.05]) {
      const done = lifeOf(planOf("ecg-beats"), perSecond, sure, 300 * day).filter(
        ({ step }) => step.kind === "calibrate",
      );
      let [looked, doubled] = [0, 0];
      let last = 0;
      for (const look of done.slice(1)) {
        const isFew = look.step.atSeconds >= 2 * last;
        if (look.looked > 0) last = look.step.atSeconds;
        if (look.looked > 0 && isFew) doubled++;
        looked += look.looked;
        expect(looked).toBeLessThanOrEqual(look.inferences / 200 + 64 * doubled);
        if (isFew) expect(look.looked).toBeGreaterThanOrEqual(64);
      }
      // log₂ of 300 days in minutes
      expect(doubled).toBeLessThanOrEqual(19);
      expect(doubled).toBeGreaterThan(8);
    }
  });

  it("are of all inputs, each month, where there is an inference a second", () => {
    const plan = planOf("ecg-beats");
    const kept = inputsKeptOf({ inputShape: plan.graph.input.shape });
    const done = lifeOf(plan, 1, sure, 200 * day);
    const late = done.filter(({ step }) => step.atSeconds > 30 * day);
    expect(late.length).toBeGreaterThan(4);
    for (const { step, looked } of late) expect([step.kind, looked]).toEqual(["calibrate", 2 * kept]);
  });

  it("are repeated with all inputs where a few show too much at risk, before anything is done", () => {
    const plan = planOf("bearing-faults");
    const chip = new LivingChip(plan, 0);
    // Close decisions: every bit of noise puts them at risk.
    const margins = Array.from({ length: 512 }, (_, i) => (i / 512) * 1.5);
    chip.remember(inputsOf(plan), margins);
    const settings = settingsOf({ policy: "full", tolerance: 0.001 });
    lookAfter(chip, settings, "new", "due");
    chip.liveTo(3 * 365 * day);
    const [first, next] = lookAfter(chip, settings, "later", "due");
    const looked = (first!.reads - chip.costs.oneHot.reads) / chip.costs.inference.reads;
    expect(looked).toBeCloseTo(2 * (32 + chip.trialInputs.length), 9);
    expect(next!.why).toContain("of the answers would differ");
  });

  it("leave what was seen as it was where none is paid for, and one that is asked for comes at once", () => {
    const chip = new LivingChip(planOf("ecg-beats"), 0);
    chip.remember(inputsOf(chip.plan), sure);
    lookAfter(chip, settingsOf(), "new", "due");
    chip.liveTo(day);
    lookAfter(chip, settingsOf(), "a day", "due");
    const { noise } = chip.knowledge;
    chip.liveTo(1.2 * day);
    const [due] = lookAfter(chip, settingsOf(), "due", "due");
    expect(due!.reads).toBe(chip.costs.oneHot.reads);
    expect(chip.knowledge.noise).toEqual(noise);
    const [asked] = lookAfter(chip, settingsOf(), "asked", "asked");
    expect(asked!.reads).toBe(chip.costs.oneHot.reads + 2 * chip.trialInputs.length * chip.costs.inference.reads);
  });
});

describe("Inputs that are kept of a stream", () => {
  it("follow each other where the network carries a state, and else are one in eight", () => {
    const kept = (name: string) => {
      const { network, knowledge } = new LivingChip(planOf(name), 0);
      const serving = new ServingChip(network, knowledge);
      const [size, out] = [sizeOf(network.inputShape), new Float32Array(sizeOf(network.outputShape))];
      for (let i = 0; i < 20; i++) serving.infer(new Float32Array(size).fill(i / 20), out);
      return serving.feed().inputs.map(([x]) => Math.round(20 * x!));
    };
    expect(kept("sensor-gru")).toEqual([0, 1, 2, 3]);
    expect(kept("pump-anomaly")).toEqual([0, 8, 16]);
  });
});

describe("Some of the inputs", () => {
  const inputs = Array.from({ length: 10 }, (_, i) => Float32Array.of(i));
  const of = (count: number, states: Float32Array[]) => someOf(inputs, count, { states }).map(([x]) => x);

  it("are spread over all, but of a network with a state those that came last", () => {
    expect(of(5, [])).toEqual([0, 2, 4, 6, 8]);
    expect(of(3, [new Float32Array(1)])).toEqual([7, 8, 9]);
    expect(of(11, [])).toHaveLength(10);
  });
});
