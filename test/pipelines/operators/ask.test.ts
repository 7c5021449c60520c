import { describe, expect, it } from "vitest";
import { compareAnswers } from "../../../agent/upkeep/answer-noise.ts";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import type { Doubt } from "../../../models/model.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { askOf, scoreMargin } from "../../../pipelines/operators/ask.ts";
import { toneModel } from "../../support/tiny-models.ts";

const { graph, manifest } = toneModel();
const twin = new DigitalNetwork(graph, { kernel: "reference" });
const chip = new AnalogNetwork(graph, {
  device: deviceByName("pcm-nandakumar-2019"),
  seed: 3,
  mapping: manifest.mapping,
  kernel: "simd",
});
/** 1 kHz at 0.5 and 4 kHz at 0.5 + difference, in units of the loudest band. */
const spectrum = (difference: number): Float32Array => {
  const x = new Float32Array(32);
  x[5] = 3;
  x[21] = 3 * (1 + difference);
  return x;
};
const inputs = Array.from({ length: 40 }, (_, i) => spectrum((i - 20) / 40));
const { noise } = compareAnswers(chip, twin, "classifier", inputs, 50);

const doubt = (changes: Partial<Doubt>): Doubt => ({
  ...{ policy: "mark", sigmas: 2, reads: 16, twin, noise: () => noise, mayAnswer: () => true },
  ...changes,
});
const answer = (x: Float32Array, changes: Partial<Doubt>) => {
  const output = new Float32Array(2);
  const assurance = askOf({ network: chip, doubt: doubt(changes) })(x, output, scoreMargin);
  return { output, assurance, logRatio: Math.log(output[1]! / output[0]!) };
};
const deviation = (values: readonly number[]): number => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
};

describe("Asking a chip in doubt", () => {
  it("marks the answers whose margin lies within so many sigmas of the measured noise, and only those", () => {
    const sigma = Math.hypot(noise.lasting, noise.read);
    const seen = inputs.map((x) => answer(x, { sigmas: 1.5 }));
    for (const { assurance, logRatio } of seen) {
      expect(assurance.marginSigmas).toBeCloseTo(Math.abs(logRatio) / sigma, 3);
      expect(assurance.uncertain ?? false).toBe(Math.abs(logRatio) / sigma < 1.5);
    }
    const marked = seen.filter(({ assurance }) => assurance.uncertain).length;
    expect(marked).toBeGreaterThan(0);
    expect(marked).toBeLessThan(inputs.length);
  });

  it("reads a doubted answer 16 times and so has a quarter of the noise of one read", () => {
    const x = spectrum(0);
    const once = Array.from({ length: 200 }, () => answer(x, { sigmas: 0 }).logRatio);
    const repeated = Array.from({ length: 200 }, () => answer(x, { policy: "repeat", sigmas: 1e6 }).logRatio);
    // A standard deviation of 200 values is known to 5 %, the ratio of two to 7 %: four standard errors.
    expect(deviation(once) / deviation(repeated)).toBeGreaterThan(4 * 0.72);
    expect(deviation(once) / deviation(repeated)).toBeLessThan(4 * 1.28);
  });

  it("computes a doubted answer without the chip where it should", () => {
    const x = spectrum(0.001);
    const exact = new Float32Array(2);
    twin.infer(x, exact);
    const { output, assurance } = answer(x, { policy: "digital", sigmas: 1e6 });
    expect(output).toEqual(exact);
    expect(assurance.redone).toBe("digital");
  });

  it("says nothing of its answers while no noise was measured", () => {
    expect(answer(spectrum(0), { noise: () => undefined }).assurance).toEqual({});
  });
});

describe("Comparing a chip with its twin", () => {
  it("tells how many answers differ, within its own error: 2000 answers beside the estimate", () => {
    const random = new SequentialRandom(5);
    const many = Array.from({ length: 200 }, () => spectrum(0.12 * random.gaussian()));
    const { risk, riskError } = compareAnswers(chip, twin, "classifier", many, 8);
    const [ours, exact] = [new Float32Array(2), new Float32Array(2)];
    let differ = 0;
    for (const x of many) {
      twin.infer(x, exact);
      for (let read = 0; read < 10; read++) {
        chip.infer(x, ours);
        if (ours[0]! > ours[1]! !== exact[0]! > exact[1]!) differ++;
      }
    }
    const seen = differ / 2000;
    expect(seen).toBeGreaterThan(0.01);
    expect(Math.abs(risk - seen)).toBeLessThan(3 * Math.hypot(riskError, Math.sqrt((seen * (1 - seen)) / 200)));
  });

  it("finds the spread of single reads to 10 %", () => {
    const x = spectrum(0.05);
    const reads = Array.from({ length: 400 }, () => answer(x, { sigmas: 0 }).logRatio);
    const { noise: near } = compareAnswers(chip, twin, "classifier", [x], 400);
    expect(near.read / deviation(reads)).toBeGreaterThan(0.8);
    expect(near.read / deviation(reads)).toBeLessThan(1.25);
  });
});
