import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readRecipe } from "../../../agent/datasets/recipe.ts";
import { bringRecipe } from "../../../agent/evaluation/bring-recipe.ts";
import { modelBytes, zooNames } from "../../../agent/models.ts";
import { parseModel } from "../../../models/load.ts";

const recipeOf = (name: string) =>
  readRecipe(fileURLToPath(new URL(`../../../models/zoo/${name}/recipe.yaml`, import.meta.url)));

describe("A model of the zoo", () => {
  it.each([...zooNames()])("says of itself what its recipe says: %s", (name) => {
    const bytes = modelBytes(name);
    expect(bringRecipe(recipeOf(name), bytes).bytes).toBe(bytes);
  });
});

describe("What a recipe says beside the weights", () => {
  const bytes = modelBytes("pump-anomaly");
  const before = parseModel(bytes);
  const recipe = recipeOf("pump-anomaly");

  it("comes into the model without a change of its weights", () => {
    const decisions = recipe.decisions.map((rule) => ({ ...rule, enter: 1.7 }));
    const mapping = { ...recipe.mapping, hardware: { pairs: 2 } };
    const brought = parseModel(bringRecipe({ ...recipe, version: "9.0.0", decisions, mapping }, bytes).bytes);
    expect(brought.graph.nodes).toEqual(before.graph.nodes);
    expect(brought.manifest).toEqual({
      ...before.manifest,
      ...{ version: "9.0.0", decisions, mapping: { ...before.manifest.mapping, hardware: { pairs: 2 } } },
    });
    const back = bringRecipe(recipe, bringRecipe({ ...recipe, mapping }, bytes).bytes);
    expect(Buffer.compare(back.bytes, bytes)).toBe(0);
  });

  it("is refused with a sentence each where only a training can bring it", () => {
    const input = { ...recipe.input, hopSamples: 7, features: { ...recipe.input.features, kind: "other" } };
    const training = { ...recipe.training, seed: 5 };
    expect(() => bringRecipe({ ...recipe, input, training }, bytes)).toThrowError(
      [
        `input.hopSamples: expected ${before.manifest.input.hopSamples} as in training, got 7; train again`,
        `input.features.kind: expected "${before.manifest.input.features.kind}" as in training, got "other"; train again`,
        "training.seed: expected 1 as in training, got 5; train again",
      ].join("\n"),
    );
  });
});
