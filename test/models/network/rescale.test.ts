import { describe, expect, it } from "vitest";
import { modelBytes } from "../../../agent/models.ts";
import { ideal } from "../../../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { parseModel } from "../../../models/load.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import type { Network } from "../../../models/network/network.ts";
import { outputStatistics } from "../../../models/network/output-statistics.ts";
import { chooseRanges, rescale } from "../../../models/network/rescale.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { sizeOf } from "../../../models/tensor.ts";

const { graph, manifest } = parseModel(modelBytes("bearing-faults"));
const { mapping } = manifest;
const twin = new DigitalNetwork(graph);
const random = new SequentialRandom(7);
const inputs = Array.from({ length: 64 }, (_, n) => {
  const { input } = manifest.testVectors[n % manifest.testVectors.length]!;
  return Float32Array.from(input, (code) => (code + 4 * random.gaussian()) * manifest.input.scale);
});
const outputOf = (network: Network, x: Float32Array): Float32Array => {
  const y = new Float32Array(sizeOf(network.outputShape));
  network.infer(x, y);
  return y;
};
/** Root mean square of what outputs differ by from the twin's. */
const differs = (network: Network, some = inputs): number => {
  const squares = some.flatMap((x) => {
    const exact = outputOf(twin, x);
    return Array.from(outputOf(network, x), (y, o) => (y - exact[o]!) ** 2);
  });
  return Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
};
/** An ideal chip, fine enough that converters do not count. */
const fine = () =>
  new AnalogNetwork(graph, {
    device: ideal,
    seed: 1,
    kernel: "simd",
    mapping: { ...mapping, dacBits: 12, adcBits: 16 },
  });
const tilesOf = (network: AnalogNetwork) => [...network.arrays.values()].flatMap(({ tiles }) => tiles);

describe("What the outputs of arrays are beside what they should be", () => {
  it("is the exact product on a chip without errors, whatever the layers before do", () => {
    const chip = fine();
    for (const { circuit } of chip.arrays.values().next().value!.tiles) circuit.setAlpha(0.5);
    for (const [n, { wantedSquare, givenSquare, product }] of outputStatistics(chip, inputs).entries()) {
      for (let o = 0; o < product.length; o++) {
        if (wantedSquare[o]! < 1e-6) continue;
        const factor = n === 0 ? 0.5 : 1; // the first layer's fault stays in the first layer
        expect(product[o]! / wantedSquare[o]!).toBeCloseTo(factor, 2);
        expect(givenSquare[o]! / wantedSquare[o]!).toBeCloseTo(factor ** 2, 2);
      }
    }
  });

  it("leaves the answers of the chip as they were", () => {
    const chip = new AnalogNetwork(graph, { device: pcmNandakumar2019, seed: 2, kernel: "simd", mapping });
    const before = outputOf(chip, inputs[0]!);
    outputStatistics(chip, inputs);
    chip.restartNoise(0);
    expect(outputOf(chip, inputs[0]!)).toEqual(before);
  });
});

describe("Digital factors and offsets", () => {
  it("give back a factor that each output lost: a tenth of the difference at most is left", () => {
    const chip = fine();
    for (const tile of tilesOf(chip)) tile.circuit.setAlpha(tile.alpha.map((_, o) => 0.7 + 0.05 * (o % 13)));
    const before = differs(chip);
    rescale(chip, inputs, "scales");
    expect(differs(chip)).toBeLessThan(before / 10);
    for (const tile of tilesOf(chip)) expect(tile.state().offsets).toBeUndefined();
  });

  it("give back factors and offsets, by mean and variance", () => {
    const chip = fine();
    for (const tile of tilesOf(chip)) {
      const { outputs } = tile.place;
      tile.rescale(
        Array.from({ length: outputs }, (_, o) => 0.8 + 0.03 * (o % 11)),
        Array.from({ length: outputs }, (_, o) => 0.2 * Math.sin(o)),
      );
    }
    const before = differs(chip);
    rescale(chip, inputs, "statistics");
    expect(before).toBeGreaterThan(0.01);
    expect(differs(chip)).toBeLessThan(before / 10);
  });

  it("are stored with the chip, with the ranges, and give the same bits when put back", () => {
    const options = { device: pcmNandakumar2019, seed: 2, kernel: "simd", mapping } as const;
    const chip = new AnalogNetwork(graph, options);
    chip.ageTo(3e7);
    chip.calibrate("global");
    chooseRanges(chip, inputs);
    rescale(chip, inputs, "statistics");
    const back = new AnalogNetwork(graph, { ...options, state: structuredClone(chip.state()) });
    expect(outputOf(back, inputs[3]!)).toEqual(outputOf(chip, inputs[3]!));
    expect(back.state()).toEqual(chip.state());
    const shown = new AnalogNetwork(graph, options);
    shown.show(structuredClone(chip.image()));
    shown.restartNoise(chip.inference);
    expect(outputOf(shown, inputs[4]!)).toEqual(outputOf(chip, inputs[4]!));
    // A new calibration, and tiles written anew, know nothing of them.
    for (const both of [chip, back]) {
      both.calibrate("global");
      for (const tile of tilesOf(both)) tile.rewrite("all");
      both.restartNoise(9);
    }
    expect(outputOf(back, inputs[5]!)).toEqual(outputOf(chip, inputs[5]!));
    for (const tile of tilesOf(back)) expect(tile.state()).not.toHaveProperty("offsets");
  });
});

describe("New ranges of the ADCs", () => {
  it("use the codes of a drifted chip as those of a new one: a quarter of the error of coarse converters is gone at least", () => {
    const drifted = (adcBits: number, hasNewRanges: boolean): AnalogNetwork => {
      const quiet = { ...pcmNandakumar2019, name: "pcm-quiet", hasReadNoise: false };
      const chip = new AnalogNetwork(graph, {
        device: quiet,
        seed: 1,
        kernel: "simd",
        mapping: { ...mapping, adcBits },
      });
      chip.ageTo(3e8);
      // One factor for all, so that only the converters differ.
      for (const tile of tilesOf(chip)) tile.circuit.setAlpha(2.6);
      if (hasNewRanges) chooseRanges(chip, inputs);
      return chip;
    };
    const exact = drifted(16, false);
    const fineOutputs = inputs.map((x) => outputOf(exact, x));
    const errorOf = (chip: AnalogNetwork): number => {
      const squares = inputs.flatMap((x, n) => Array.from(outputOf(chip, x), (y, o) => (y - fineOutputs[n]![o]!) ** 2));
      return Math.sqrt(squares.reduce((a, b) => a + b, 0));
    };
    const coarse = drifted(6, true);
    expect(errorOf(coarse)).toBeLessThan(0.75 * errorOf(drifted(6, false)));
    // Hardly any is clipped for it: less than one conversion in a hundred.
    const conversions = 2 * inputs.length * tilesOf(coarse).reduce((sum, { place }) => sum + place.outputs, 0);
    expect(coarse.saturation().outputs).toBeLessThan(0.01 * conversions);
  });
});
