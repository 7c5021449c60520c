import { describe, expect, it } from "vitest";
import { compare } from "../../../agent/inspection/comparison.ts";
import { fitWeights } from "../../../agent/inspection/fit-weights.ts";
import { inspectModel } from "../../../agent/inspection/inspect-model.ts";
import { digits, percent, withUnit } from "../../../agent/inspection/units.ts";
import { verdict } from "../../../agent/inspection/verdict.ts";
import type { Hardware } from "../../../models/crossbar/array-spec.ts";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import { hermesDesign } from "../../../models/energy/tile-cost.ts";
import { toneModel } from "../../support/tiny-models.ts";

describe("Pairs fitted to their weights", () => {
  it("give the factor and what is left: G⁺ − G⁻ = 2 W ± 1 leaves 1", () => {
    const weights = Float32Array.of(1, -1, 1, -1);
    // Errors +1, +1, −1, −1 have no part along the weights.
    const siemens = Float32Array.of(3, 0, 0, 1, 1, 0, 0, 3);
    const { siemensPerWeight, rmsSiemens } = fitWeights(weights, siemens);
    expect([siemensPerWeight, rmsSiemens]).toEqual([2, 1]);
  });

  it("of weights that are all zero have the factor zero", () => {
    expect(fitWeights(new Float32Array(2), Float32Array.of(3, 0, 0, 4))).toEqual({
      siemensPerWeight: 0,
      rmsSiemens: Math.sqrt(12.5),
    });
  });
});

describe("An inspection", () => {
  const { graph, manifest } = toneModel();
  const vector = { input: new Array<number>(32).fill(127), output: [0.5, 0.5] };
  const inspect = (device: string, ageSeconds: number, testVectors = [vector]) =>
    inspectModel(
      graph,
      { ...manifest, testVectors },
      { device: deviceByName(device), seed: 1, ageSeconds, compensation: "global", design: hermesDesign },
    );

  it("of an ideal chip finds no error, no drift, and the use of its tile", () => {
    const { arrays, largestDifference } = inspect("ideal", 86_400);
    expect(arrays).toHaveLength(1);
    const [{ tiles, utilisation, weights, clippedInputs, activity }] = arrays as [(typeof arrays)[0]];
    expect([weights, tiles.length, utilisation]).toEqual([64, 1, 64 / 65_536]);
    // 25 µS held in 32 bits.
    expect(tiles[0]!.programmed.rmsSiemens).toBeLessThan(1e-11);
    expect(tiles[0]!.aged.siemensPerWeight).toBe(tiles[0]!.programmed.siemensPerWeight);
    expect(clippedInputs).toBe(0);
    expect(activity.magnitude).toBeCloseTo(1, 6); // all inputs at 127
    // Both outputs see the same input: ½ each; the ADC's codes are 24 / 127 wide.
    expect(largestDifference).toBeLessThan(0.05);
  });

  it("of PCM after a day finds the drift t^−ν of its largest weights, ν = 0.049 to 0.1", () => {
    const { tiles } = inspect("pcm-nandakumar-2019", 86_400).arrays[0]!;
    const scale = tiles[0]!.aged.siemensPerWeight / tiles[0]!.programmed.siemensPerWeight;
    const logTime = Math.log((86_400 + 20) / 20);
    expect(scale).toBeGreaterThan(Math.exp(-0.1 * logTime));
    // Two devices: three standard deviations of ν, 0.008, below its mean.
    expect(scale).toBeLessThan(Math.exp(-(0.049 - 3 * 0.008) * logTime));
  });

  it("counts what is clipped: ADCs of a tenth of the range clip both outputs", () => {
    const { dense } = manifest.mapping.ranges;
    const narrow = { ...manifest.mapping, ranges: { dense: { ...dense!, tileOutputMax: [2.4] } } };
    const { arrays } = inspectModel(
      graph,
      { ...manifest, mapping: narrow, testVectors: [vector] },
      { device: deviceByName("ideal"), seed: 1, ageSeconds: 0, compensation: "none", design: hermesDesign },
    );
    expect(arrays[0]!.clippedOutputs).toBe(1);
  });

  it("of two pairs a weight in two digits sees both tiles, all devices, and the energy of both", () => {
    const options = { device: deviceByName("ideal"), seed: 1, ageSeconds: 0, compensation: "none" } as const;
    const of = (hardware: Hardware) =>
      inspectModel(graph, { ...manifest, testVectors: [vector] }, { ...options, design: hermesDesign, hardware });
    const [plain, special] = [of({}), of({ pairs: 2, weightSlices: { bits: 8, count: 2 } })];
    expect([plain.programmed.devices, special.programmed.devices]).toEqual([128, 512]);
    expect(special.arrays[0]!.tiles).toHaveLength(2);
    for (const tile of special.arrays[0]!.tiles) expect(tile.programmed.rmsSiemens).toBeLessThan(1e-11);
    const converters = [plain, special].map(({ cost }) => cost.energyJoules.converters);
    expect(converters[1]! / converters[0]!).toBeCloseTo(2, 9); // one for each digit, both crossbars share it
    const drivers = [plain, special].map(({ cost }) => cost.energyJoules.drivers);
    expect(drivers[1]! / drivers[0]!).toBeCloseTo(4, 9);
  });

  it("of a model without test vectors assumes inputs spread evenly", () => {
    const { arrays, testVectors } = inspect("ideal", 0, []);
    expect([testVectors, arrays[0]!.activity.magnitude, arrays[0]!.clippedOutputs]).toEqual([0, 0.5, 0]);
  });
});

describe("The verdict on 90 % less power than a GPU", () => {
  const { graph, manifest } = toneModel();
  const cost = inspectModel(graph, manifest, {
    device: deviceByName("ideal"),
    seed: 1,
    ageSeconds: 0,
    compensation: "none",
    design: hermesDesign,
  }).cost;
  const comparison = compare(cost, manifest);

  it("counts four windows a second of a model that moves on by 3000 samples at 12 kHz", () => {
    expect(comparison.inferencesPerSecond).toBe(4);
    expect(comparison.wattsSwitched / comparison.joules).toBeCloseTo(4, 9);
  });

  it("holds for one small net on a Jetson, and says when it does not: twenty times the energy of the T4", () => {
    const sentences = verdict(comparison);
    expect(sentences[0]).toMatch(/on a Jetson TX2 \(batch 1\): > 99\.999 % less; "over 90 % less" holds, and would/);
    const dear = { ...comparison, joules: 20 * comparison.machines.at(-1)!.joules };
    const machines = dear.machines.map((machine) => ({
      ...machine,
      savingPerInference: 1 - dear.joules / machine.joules,
    }));
    expect(verdict({ ...dear, machines })[3]).toMatch(/1900\.0 % more; "over 90 % less" does not hold/);
  });
});

describe("Quantities in print", () => {
  it("have three digits and the prefix that fits", () => {
    expect([6.18e-6, 0.0242, 9.998e-4, 0, 1.85e12].map((value) => withUnit(value, "J"))).toEqual([
      "6.18 µJ",
      "24.2 mJ",
      "1 mJ",
      "0 J",
      "1.85 TJ",
    ]);
    expect([0.0253, 12, 5_712_768].map(digits)).toEqual(["0.0253", "12", "5,712,768"]);
  });

  it("as shares never round up to all of it", () => {
    expect([0.5, 0.9975, 0.99975, 0.999999, 1, -0.005].map(percent)).toEqual([
      "50.0 %",
      "99.75 %",
      "99.975 %",
      "> 99.999 %",
      "100.0 %",
      "−0.5 %",
    ]);
  });
});
