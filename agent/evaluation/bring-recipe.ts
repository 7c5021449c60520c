import { isDeepStrictEqual } from "node:util";
import type { Hardware } from "../../models/crossbar/array-spec.ts";
import { parseModel, withManifest } from "../../models/load.ts";
import type { Manifest } from "../../models/manifest.ts";
import type { Graph } from "../../models/network/graph.ts";
import { ModelError } from "../../models/network/model-error.ts";
import { writeOnnx } from "../../models/onnx/write.ts";
import type { Recipe } from "../datasets/recipe.ts";

/** A model to ship: the bytes of its ONNX file, and what they hold. */
export interface ShippedModel {
  readonly bytes: Uint8Array;
  readonly graph: Graph;
  readonly manifest: Manifest;
}

/**
 * A trained model with what its recipe says beside the weights: version, decision rules, hardware of its chips. What the
 * weights were trained for must still be as the recipe has it.
 *
 * @returns the same bytes where nothing differs
 * @throws ModelError naming each fact of the recipe that only a new training can bring
 */
export const bringRecipe = (recipe: Recipe, model: Uint8Array): ShippedModel => {
  const { graph, manifest } = parseModel(model);
  const trained = factsOfModel(manifest);
  const differing = Object.entries(factsOfRecipe(recipe)).filter(
    ([key, fact]) => !isDeepStrictEqual(fact, trained[key]),
  );
  if (differing.length > 0) {
    const sentences = differing.map(
      ([key, fact]) => `${key}: expected ${show(trained[key])} as in training, got ${show(fact)}; train again`,
    );
    throw new ModelError(sentences.join("\n"));
  }
  const { version, decisions } = recipe;
  const { hardware: _, ...sizes } = manifest.mapping;
  const { hardware } = recipe.mapping;
  const mapping = { ...sizes, ...(hardware && { hardware: hardware as Hardware }) };
  const brought: Manifest = { ...manifest, version, decisions, mapping };
  if (isDeepStrictEqual(brought, manifest)) return { bytes: model, graph, manifest };
  const complete = withManifest(graph, brought);
  return { bytes: writeOnnx(complete), graph: complete, manifest: brought };
};

type Facts = Readonly<Record<string, unknown>>;

/** What weights are trained for, by the key of the recipe. */
const factsOfRecipe = ({ name, modality, task, labels, data, input, mapping, training }: Recipe): Facts => {
  const { clip, features, ...contract } = input;
  const { calibrationSamples: _, hardware: __, ...sizes } = mapping;
  return {
    ...{ name, modality, task, labels, data },
    ...keyed("input", { ...contract, scale: clip / 127 }),
    ...keyed("input.features", features),
    ...keyed("mapping", sizes),
    "training.seed": training.seed,
  };
};

const factsOfModel = ({ name, modality, task, labels, input, mapping, training }: Manifest): Facts => ({
  ...{ name, modality, task, labels, data: training.data },
  ...keyed("input", input),
  ...keyed("input.features", input.features),
  ...keyed("mapping", mapping),
  "training.seed": training.seed,
});

const keyed = (section: string, facts: object): Facts =>
  Object.fromEntries(Object.entries(facts).map(([key, fact]) => [`${section}.${key}`, fact]));

const show = (fact: unknown): string => JSON.stringify(fact) ?? "none";
