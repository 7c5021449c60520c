import { describe, expect, it } from "vitest";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import { calibrateRanges } from "../../../models/network/calibrate-ranges.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import type { Graph } from "../../../models/network/graph.ts";
import type { Network } from "../../../models/network/network.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { sizeOf } from "../../../models/tensor.ts";
import { GraphBuilder, randomGraphs } from "./random-graphs.ts";

const samplesFor = (graph: Graph, count: number, seed: number): Float32Array[] => {
  const random = new SequentialRandom(seed);
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: sizeOf(graph.input.shape) }, () => random.gaussian()),
  );
};

const outputsOf = (network: Network, samples: readonly Float32Array[]): Float32Array =>
  Float32Array.from(
    samples.flatMap((x) => {
      const y = new Float32Array(sizeOf(network.outputShape));
      network.infer(x, y);
      return [...y];
    }),
  );

/** Root mean square of the difference, over that of `wanted`. */
const relativeError = (got: Float32Array, wanted: Float32Array): number => {
  const squares = (values: Float32Array): number => values.reduce((sum, v) => sum + v * v, 0);
  return Math.sqrt(squares(got.map((v, i) => v - wanted[i]!)) / squares(wanted));
};

const fine = { dacBits: 12, adcBits: 16, tileInputs: 64, tileOutputs: 48 };
const coarse = { dacBits: 8, adcBits: 8, tileInputs: 64, tileOutputs: 48 };
const ideal = deviceByName("ideal");
const pcm = deviceByName("pcm-nandakumar-2019");
const linear = (): Graph => new GraphBuilder([100], 20).dense(60).plain("relu").dense(30).build();

describe("AnalogNetwork", () => {
  for (const [name, graph] of Object.entries(randomGraphs)) {
    it(`is the digital network when devices are ideal and converters fine: ${name}`, () => {
      const samples = samplesFor(graph, 8, 1);
      const mapping = calibrateRanges(graph, samples, fine);
      const wanted = outputsOf(new DigitalNetwork(graph), samples);
      for (const kernel of ["reference", "simd"] as const) {
        const analog = new AnalogNetwork(graph, { device: ideal, seed: 1, mapping, kernel });
        // A DAC of 12 bits errs by 1/2047/√12 of full scale; that is 4 σ or so: 0.06 % a layer, a few layers in turn.
        expect(relativeError(outputsOf(analog, samples), wanted)).toBeLessThan(0.002);
      }
    });

    it(`gives the same bits on both kernels with 8 bits and PCM, read noise and all: ${name}`, () => {
      const samples = samplesFor(graph, 2, 1);
      const mapping = calibrateRanges(graph, samples, coarse);
      const [a, b] = (["reference", "simd"] as const).map((kernel) =>
        outputsOf(new AnalogNetwork(graph, { device: pcm, seed: 1, mapping, kernel }), samples),
      );
      expect(a).toEqual(b);
    });
  }

  it("loses under 3 % of the signal to 8-bit converters in two layers", () => {
    const graph = linear();
    const samples = samplesFor(graph, 40, 2);
    const mapping = calibrateRanges(graph, samples, coarse);
    const analog = new AnalogNetwork(graph, { device: ideal, seed: 1, mapping, kernel: "simd" });
    const error = relativeError(outputsOf(analog, samples), outputsOf(new DigitalNetwork(graph), samples));
    // A range of k σ in 127 steps errs by k/127/√12: 0.9 % at k = 4. DAC of both layers and ADCs of 2 + 1 tiles: 2 %.
    expect(error).toBeLessThan(0.03);
    expect(error).toBeGreaterThan(0.004);
  });

  it("loses output as PCM drifts for a day, and global compensation gives the scale back", () => {
    const graph = new GraphBuilder([100], 21).dense(60).build();
    const samples = samplesFor(graph, 30, 3);
    const mapping = calibrateRanges(graph, samples, coarse);
    const analog = new AnalogNetwork(graph, { device: pcm, seed: 1, mapping, kernel: "simd" });
    const fresh = outputsOf(analog, samples);
    // The slope of y on the fresh y; the bias does not drift, so it is taken off.
    const bias = (graph.nodes[0] as { bias: Float32Array }).bias;
    const withoutBias = (y: Float32Array) => y.map((v, i) => v - bias[i % bias.length]!);
    const scale = (y: Float32Array): number => {
      const [a, b] = [withoutBias(fresh), withoutBias(y)];
      return b.reduce((sum, v, i) => sum + v * a[i]!, 0) / a.reduce((sum, v) => sum + v * v, 0);
    };
    analog.ageTo(86_400);
    const aged = scale(outputsOf(analog, samples));
    // (1 + 86400/20)^−ν is 0.66 at the ν = 0.049 of strong devices, 0.43 at the 0.1 of the weakest.
    expect(aged).toBeGreaterThan(0.43);
    expect(aged).toBeLessThan(0.7);
    analog.calibrate("global");
    // Spread of ν between devices and 8 bits of the aged range leave some percent.
    expect(Math.abs(scale(outputsOf(analog, samples)) - 1)).toBeLessThan(0.04);
    analog.calibrate("none");
    analog.ageTo(0);
    // Only read noise differs from the first run.
    expect(Math.abs(scale(outputsOf(analog, samples)) - 1)).toBeLessThan(0.01);
  });

  it("draws noise anew for each inference and repeats it by its number", () => {
    const graph = linear();
    const samples = samplesFor(graph, 1, 4);
    const mapping = calibrateRanges(graph, samples, coarse);
    const analog = new AnalogNetwork(graph, { device: pcm, seed: 1, mapping, kernel: "simd" });
    const [first, second] = [outputsOf(analog, samples), outputsOf(analog, samples)];
    expect(second).not.toEqual(first);
    analog.restartNoise(0);
    expect(outputsOf(analog, samples)).toEqual(first);
    expect(outputsOf(analog, samples)).toEqual(second);
    const otherChip = new AnalogNetwork(graph, { device: pcm, seed: 2, mapping, kernel: "simd" });
    expect(outputsOf(otherChip, samples)).not.toEqual(first);
    expect(() => analog.restartNoise(-1)).toThrow("inference: expected an integer ≥ 0, got -1");
  });

  it("packs as many depthwise channels into a tile as fit", () => {
    const graph = new GraphBuilder([6, 6, 20], 22).depthwise({ kernel: [3, 3] }).build();
    const mapping = calibrateRanges(graph, samplesFor(graph, 2, 5), coarse);
    const analog = new AnalogNetwork(graph, { device: ideal, seed: 1, mapping, kernel: "simd" });
    // ⌊64 inputs / 9 taps⌋ = 7 channels; on the diagonal each has a column of its 9 taps.
    expect([...analog.arrays].map(([name, { outputs, inputs }]) => [name, outputs, inputs])).toEqual([
      ["0-depthwise/channels-0-6", 7, 9],
      ["0-depthwise/channels-7-13", 7, 9],
      ["0-depthwise/channels-14-19", 6, 9],
    ]);
    expect(mapping.ranges["0-depthwise"]!.tileOutputMax).toHaveLength(3);
  });

  it("allocates nothing in infer, nor does the digital network", () => {
    const graph = new GraphBuilder([8, 6, 3], 5)
      .conv(20, { kernel: [3, 3], padding: [1, 1, 1, 1] })
      .depthwise({ kernel: [3, 3] })
      .build();
    const samples = samplesFor(graph, 2, 5);
    const mapping = calibrateRanges(graph, samples, coarse);
    for (const network of [
      new AnalogNetwork(graph, { device: pcm, seed: 1, mapping, kernel: "simd" }),
      new DigitalNetwork(graph),
    ]) {
      const output = new Float32Array(sizeOf(network.outputShape));
      const run = (calls: number) => {
        for (let i = 0; i < calls; i++) network.infer(samples[0]!, output);
      };
      run(10_000); // until it is compiled
      const growths = Array.from({ length: 5 }, () => {
        const before = process.memoryUsage().heapUsed;
        run(10_000);
        return process.memoryUsage().heapUsed - before;
      });
      // One object of 16 bytes a call would be 160 KB; a collection makes a growth negative: so the median.
      expect(growths.sort((a, b) => a - b)[2]!).toBeLessThan(100_000);
    }
  });

  it("counts conversions that were clipped", () => {
    const graph = linear();
    const mapping = calibrateRanges(graph, samplesFor(graph, 10, 6), { ...coarse, inputScale: 2 / 127 });
    const analog = new AnalogNetwork(graph, { device: ideal, seed: 1, mapping, kernel: "simd" });
    const x = new Float32Array(100);
    x.set([3, -5, 2], 10);
    outputsOf(analog, [x]);
    expect(analog.saturation().inputs).toBe(2);
  });

  it("says which layer a mapping has no ranges for", () => {
    const graph = linear();
    const mapping = { ...coarse, ranges: { "0-dense": { inputMax: 1, tileOutputMax: [1, 1, 1, 1] } } };
    const make = () => new AnalogNetwork(graph, { device: ideal, seed: 1, mapping, kernel: "simd" });
    expect(make).toThrow("mapping: expected ranges of node 2-dense, got none");
  });
});

describe("calibrateRanges", () => {
  it("gives the layers at the input the range of its codes, through a reshape and past a branch", () => {
    const builder = new GraphBuilder([2, 3, 4], 23).reshape([24]);
    const flat = builder.last;
    const way = builder.dense(6).plain("relu").last;
    const graph = builder.from(flat).dense(6).addTo(way).dense(2).build();
    const { ranges } = calibrateRanges(graph, samplesFor(graph, 20, 7), { ...coarse, inputScale: 0.03 });
    expect([ranges["1-dense"]!.inputMax, ranges["3-dense"]!.inputMax]).toEqual([127 * 0.03, 127 * 0.03]);
    expect(ranges["5-dense"]!.inputMax).not.toBe(127 * 0.03);
  });

  it("takes the largest input, and the largest sum of each tile with a tenth to spare", () => {
    const graph = new GraphBuilder([4], 24).dense(2).build();
    const weights = Float32Array.of(1, 2, 0, 0, 0, 0, 0, -3);
    const [node] = graph.nodes as [Extract<Graph["nodes"][number], { kind: "dense" }>];
    const byHand = { ...graph, nodes: [{ ...node, weights }] };
    const samples = [Float32Array.of(1, 1, 1, 1), Float32Array.of(-2, 0.5, 0, 0.25)];
    const { ranges } = calibrateRanges(byHand, samples, { dacBits: 8, adcBits: 8, tileInputs: 2, tileOutputs: 1 });
    // Tiles: inputs 0–1 of output 0: 3; 2–3 of output 0: nothing, so 1; 0–1 of output 1: nothing; 2–3: −3.
    expect(ranges["0-dense"]!.inputMax).toBe(2);
    expect(ranges["0-dense"]!.tileOutputMax).toEqual([3.3000000000000003, 1, 1, 3.3000000000000003]);
  });

  it("refuses to run without samples", () => {
    expect(() => calibrateRanges(linear(), [], coarse)).toThrow("samples: expected at least one, got none");
  });
});

describe("Every way to hold weights", () => {
  const ways = {
    "two pairs": { pairs: 2 },
    "two-sided": { pairing: "two-sided" },
    "a scale a column": { scaleByColumn: true },
    digits: { weightSlices: { bits: 13, count: 3 } },
    "plain converters": { converters: "plain" },
    "digits of inputs": { inputSliceBits: 6 },
  } as const;
  for (const [name, graph] of Object.entries(randomGraphs)) {
    it.each(Object.entries(ways))(`runs depthwise, recurrent and all other layers, ${name}: %s`, (_, hardware) => {
      const samples = samplesFor(graph, 4, 1);
      const mapping = { ...calibrateRanges(graph, samples, fine), hardware };
      const wanted = outputsOf(new DigitalNetwork(graph), samples);
      const analog = new AnalogNetwork(graph, { device: ideal, seed: 1, mapping, kernel: "simd" });
      // As plainly; digits add weights rounded to 1/4095 of the largest.
      expect(relativeError(outputsOf(analog, samples), wanted)).toBeLessThan(0.003);
    });
  }
});

describe("The state of a chip", () => {
  for (const [name, graph] of Object.entries(randomGraphs)) {
    it(`put back, gives the bits of the chip that went on, with the same noise: ${name}`, () => {
      const samples = samplesFor(graph, 2, 1);
      const options = {
        device: pcm,
        seed: 1,
        mapping: calibrateRanges(graph, samples, coarse),
        kernel: "simd",
      } as const;
      const chip = new AnalogNetwork(graph, options);
      chip.pass(86_400, 40);
      chip.calibrate("per-column");
      outputsOf(chip, samples);
      const back = new AnalogNetwork(graph, { ...options, state: structuredClone(chip.state()) });
      expect(back.atSeconds).toBe(chip.atSeconds);
      expect(outputsOf(back, samples)).toEqual(outputsOf(chip, samples));
      for (const both of [chip, back]) {
        both.rewrite();
        both.pass(3600, 25);
      }
      expect(outputsOf(back, samples)).toEqual(outputsOf(chip, samples));
    });
  }
  it("says which array a state of another network lacks", () => {
    const graph = linear();
    const mapping = calibrateRanges(graph, samplesFor(graph, 2, 6), coarse);
    const state = { inference: 0, arrays: {} };
    expect(() => new AnalogNetwork(graph, { device: ideal, seed: 1, mapping, kernel: "simd", state })).toThrow(
      "state: expected an array 0-dense, got ",
    );
  });
});
