import { describe, expect, it } from "vitest";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import { calibrateRanges } from "../../../models/network/calibrate-ranges.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import type { Network } from "../../../models/network/network.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { train } from "../../../models/training/trainer.ts";
import type { TrainingSet } from "../../../models/training/training-set.ts";

const steps = 16;

/** Two lines with a pulse each, at chance times, in noise: the class is which of them came first. */
const races = (count: number, seed: number): TrainingSet => {
  const random = new SequentialRandom(seed);
  const x = Float32Array.from({ length: count * steps * 2 }, () => 0.2 * random.gaussian());
  const labels = new Uint8Array(count);
  for (let n = 0; n < count; n++) {
    labels[n] = n % 2;
    const first = random.integer(steps - 1);
    const second = first + 1 + random.integer(steps - 1 - first);
    const [a, b] = labels[n] === 0 ? [first, second] : [second, first];
    x[(n * steps + a) * 2]! += 2;
    x[(n * steps + b) * 2 + 1]! += 2;
  }
  return { shape: [1, steps, 2], count, x, labels };
};

const accuracyOf = (network: Network, set: TrainingSet): number => {
  const y = new Float32Array(2);
  let right = 0;
  for (let n = 0; n < set.count; n++) {
    network.infer(Float32Array.from(set.x.slice(n * steps * 2, (n + 1) * steps * 2)), y);
    if (Number(y[1]! > y[0]!) === set.labels![n]) right++;
  }
  return right / set.count;
};

describe("A gated recurrent unit", () => {
  it("learns for the hardware which of two pulses came first: 97 % digitally, 95 % on PCM of a day", async () => {
    const [training, test] = [races(2000, 1), races(500, 2)];
    const layers = [
      { kind: "gru", hidden: 12 },
      { kind: "dense", outputs: 2 },
    ] as const;
    const { graph, inputMax } = await train({ name: "race", input: [1, steps, 2], layers }, training, races(300, 3), {
      ...{ seed: 1, epochs: 12, batchSize: 32, learningRate: 0.02, weightDecay: 0, warmupEpochs: 0.5 },
      ...{ loss: "cross-entropy", workers: 1, clipNorm: 1 },
      hardware: { weightNoise: 0.04, weightClip: 2.5, activationBits: 8, outputNoise: 0.01 },
    });
    expect(Object.keys(inputMax)).toContain("0-gru/input");
    // Chance is 50 %; 500 samples know 97 % to 0.8 %.
    expect(accuracyOf(new DigitalNetwork(graph), test)).toBeGreaterThan(0.97);
    const samples = Array.from({ length: 100 }, (_, n) =>
      Float32Array.from(training.x.slice(n * steps * 2, (n + 1) * steps * 2)),
    );
    const sizes = { dacBits: 8, adcBits: 8, tileInputs: 64, tileOutputs: 64 };
    const mapping = calibrateRanges(graph, samples, { ...sizes, inputMax });
    const device = deviceByName("pcm-nandakumar-2019");
    const chip = new AnalogNetwork(graph, { device, seed: 1, mapping, kernel: "simd" });
    expect([...chip.arrays.keys()]).toEqual(["0-gru/input", "0-gru/recurrent", "1-dense"]);
    chip.ageTo(86400);
    chip.calibrate("global");
    expect(accuracyOf(chip, test)).toBeGreaterThan(0.95);
  });
});
