import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import { measureActivity } from "../../../models/energy/activity.ts";
import { joulesOn, machines, saving, secondsOn } from "../../../models/energy/elsewhere.ts";
import { networkCost } from "../../../models/energy/network-cost.ts";
import { hermesDesign, productEnergy, productSecondsOf, total } from "../../../models/energy/tile-cost.ts";
import { parseModel } from "../../../models/load.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import type { Graph } from "../../../models/network/graph.ts";
import { toneModel } from "../../support/tiny-models.ts";

const costOf = (
  { graph, manifest }: ReturnType<typeof toneModel>,
  design = hermesDesign,
  samples: Float32Array[] = [],
) => {
  const { mapping } = manifest;
  const chip = new AnalogNetwork(graph, { device: deviceByName("ideal"), seed: 1, mapping, kernel: "simd" });
  return networkCost(graph, mapping, chip.arrays, measureActivity(graph, mapping, samples), design);
};
const zooModel = (name: string) =>
  parseModel(readFileSync(fileURLToPath(new URL(`../../../models/zoo/${name}/model.onnx`, import.meta.url))));

describe("The cost of a network", () => {
  it("of one dense layer is one product of its tile, and a softmax of its outputs", () => {
    const cost = costOf(toneModel());
    const [dense] = cost.layers.filter(({ kind }) => kind === "dense");
    expect(cost.multiplyAccumulates).toBe(64);
    expect(dense).toMatchObject({ tiles: 1, products: 1, multiplyAccumulates: 64 });
    expect(cost.latencySeconds).toBe(productSecondsOf(hermesDesign));
    // Both weights are the largest: two devices of 25 µS.
    const work = { inputs: 32, outputs: 2, columns: 2, siemens: 50e-6, magnitude: 1 / 2, square: 1 / 3 };
    expect(total(dense!.energyJoules) / total(productEnergy(work, hermesDesign))).toBeCloseTo(1, 5);
    const layers = cost.layers.reduce((sum, layer) => sum + total(layer.energyJoules), 0);
    expect(total(cost.energyJoules) / layers).toBeCloseTo(1, 9);
  });

  it("counts the inputs as they are: a sample at half of full scale has magnitude ½, square ¼", () => {
    const { graph, manifest } = toneModel();
    const activity = measureActivity(graph, manifest.mapping, [new Float32Array(32).fill(3)]);
    expect(activity.get("dense")).toEqual({ magnitude: 0.5, square: 0.25 });
  });

  it("of DS-CNN-like work is near AnalogNets' keyword chip: keywords-12 in one phase within 1.5 of 8.58 TOPS/W", () => {
    const model = zooModel("keywords-12");
    const samples = model.manifest.testVectors.map(({ input }) =>
      Float32Array.from(input, (code) => code * model.manifest.input.scale),
    );
    const teraOpsPerWatt = costOf(model, { ...hermesDesign, phases: 1 }, samples).operationsPerJoule / 1e12;
    expect(Math.max(teraOpsPerWatt / 8.58, 8.58 / teraOpsPerWatt)).toBeLessThan(1.5);
  });

  it("counts every weight once a position: keywords-12 has 5,712,768 multiply-accumulates", () => {
    // Σ positions · weights of its eleven layers: 98·3840 + 49·(13824 + 20736 + 1536) + 25·67584 + 13·144384 + 1152
    const macs = 98 * 3840 + 49 * 36096 + 25 * 67584 + 13 * 144384 + 1152;
    const { graph, manifest } = zooModel("keywords-12");
    expect(costOf({ graph, manifest }).multiplyAccumulates).toBe(macs);
  });
});

describe("The cost of a depthwise layer", () => {
  const channels = 64;
  const model = (tileInputs: number) => {
    const { manifest } = toneModel();
    const graph: Graph = {
      name: "depthwise",
      input: { name: "input", shape: [5, 5, channels] },
      output: { name: "output", shape: [5, 5, channels] },
      nodes: [
        {
          kind: "depthwise",
          name: "each",
          inputs: ["input"],
          output: { name: "output", shape: [5, 5, channels] },
          kernel: [3, 3],
          stride: [1, 1],
          dilation: [1, 1],
          padding: [1, 1, 1, 1],
          weights: Float32Array.from({ length: channels * 9 }, (_, i) => Math.sin(i)),
          bias: new Float32Array(channels),
        },
      ],
      metadata: {},
    };
    const ranges = { each: { inputMax: 1, tileOutputMax: new Array<number>(64).fill(1) } };
    return { graph, manifest: { ...manifest, mapping: { ...manifest.mapping, tileInputs, ranges } } };
  };

  it("counts its weights, not the zeros beside the diagonal, and its arrays' time once", () => {
    const cost = costOf(model(256));
    // ⌊256 / 9⌋ = 28 channels a tile: 28, 28, 8.
    expect(cost.layers.map(({ name, tiles }) => [name, tiles])).toEqual([
      ["each/channels-0-27", 1],
      ["each/channels-28-55", 1],
      ["each/channels-56-63", 1],
    ]);
    expect(cost.multiplyAccumulates).toBe(25 * 9 * channels);
    expect(cost.latencySeconds).toBeCloseTo(25 * productSecondsOf(hermesDesign), 15);
  });

  it("converts each output once, whatever the size of the tiles, but drives fewer zeros with smaller ones", () => {
    const [large, small] = [costOf(model(256)), costOf(model(64))];
    expect(small.energyJoules.converters / large.energyJoules.converters).toBeCloseTo(1, 9);
    expect(small.areaSquareMetres).toBeLessThan(large.areaSquareMetres);
  });
});

describe("The same network elsewhere", () => {
  const machine = (name: string) => machines.find((candidate) => candidate.name.startsWith(name))!;

  const dsCnnMacs = 2_656_768;

  it("costs a Cortex-M4 what MLPerf Tiny measured: 2.83 mJ and 63 ms for DS-CNN", () => {
    expect(joulesOn(machine("STM32L4R5"), dsCnnMacs)).toBeCloseTo(2.833e-3, 9);
    expect(secondsOn(machine("STM32L4R5"), dsCnnMacs)).toBeCloseTo(0.06296, 5);
  });

  it("costs a Jetson TX2 what HW-NAS-Bench measured, within 5 %: 24.2 mJ at 4.09 M, 29.4 at 79.2 M, 30.0 at 115 M", () => {
    for (const [macs, joules] of [
      [4.09e6, 24.2e-3],
      [79.2e6, 29.4e-3],
      [114.9e6, 30.0e-3],
    ] as const) {
      expect(Math.abs(joulesOn(machine("Jetson"), macs) / joules - 1)).toBeLessThan(0.05);
    }
  });

  it("is saved by 90 % where it costs ten times as much, by nothing where it costs the same", () => {
    expect([saving(1, 10), saving(1, 1)]).toEqual([0.9, 0]);
  });
});
