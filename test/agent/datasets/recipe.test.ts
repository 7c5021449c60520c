import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Recipe, readRecipe } from "../../../agent/datasets/recipe.ts";
import { makeModel } from "../../../agent/evaluation/make-model.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { parseModel } from "../../../models/load.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import { GraphBuilder } from "../../models/network/random-graphs.ts";

const zooRecipe = fileURLToPath(new URL("../../../models/zoo/ecg-beats/recipe.yaml", import.meta.url));
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "recipe-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The recipe of ecg-beats with hardware. */
const withHardware = (hardware: string): Recipe => {
  const path = join(folder, "recipe.yaml");
  const text = readFileSync(zooRecipe, "utf8");
  writeFileSync(path, text.replace("calibrationSamples: 512 }", `calibrationSamples: 512, hardware: ${hardware} }`));
  return readRecipe(path);
};

describe("A recipe's hardware", () => {
  it("travels in the model's file, and every chip of the model has it", () => {
    const recipe = withHardware("{ pairs: 3, weightSlices: { bits: 8, count: 2 }, spareColumns: 4, spareTiles: 2 }");
    const graph = new GraphBuilder([1, 128, 6], 3).reshape([768]).dense(5).build();
    const { shape } = recipe.input;
    const input = { ...recipe.input, shape, scale: 0.03 };
    const samples = [new Float32Array(768).map((_, i) => Math.sin(i)), new Float32Array(768).fill(0.5)];
    const made = { recipe: "recipe.yaml", seed: 1, command: "train" };
    const { manifest, graph: read } = parseModel(makeModel(graph, recipe, input, samples, made).bytes);
    expect(manifest.mapping.hardware).toEqual(recipe.mapping.hardware);
    const chip = new AnalogNetwork(read, {
      ...{ device: pcmNandakumar2019, seed: 1, mapping: manifest.mapping, kernel: "simd" },
    });
    const [array] = [...chip.arrays.values()];
    expect(array!.tiles).toHaveLength(3 * 2);
    expect(array!.tiles[0]!.shape).toEqual({ columns: 5 + 4, inputs: 256, crossbars: 3 });
  });
  it.each([
    ["{ pears: 2 }", /mapping\.hardware.*pears/],
    ["{ pairing: both-sided }", /mapping\.hardware\.pairing/],
    ["{ weightSlices: { bits: 8 } }", /mapping\.hardware\.weightSlices\.count/],
  ])("is refused where it names what is not there: %s", (hardware, sentence) => {
    expect(() => withHardware(hardware)).toThrow(sentence);
  });
});
