import type { Shape } from "../tensor.ts";
import type { Build, Layer } from "./layer.ts";
import { BatchNorm } from "./layers/batch-norm.ts";
import { Conv } from "./layers/conv.ts";
import { Curve } from "./layers/curve.ts";
import { Dense } from "./layers/dense.ts";
import { Depthwise } from "./layers/depthwise.ts";
import { geometryOf } from "./layers/geometry.ts";
import { Gru } from "./layers/gru.ts";
import { GlobalAveragePool, Pool } from "./layers/pool.ts";
import { Residual, Sequence } from "./layers/residual.ts";
import { Dropout, Flatten, Relu } from "./layers/simple.ts";
import type { LayerKind, LayerSpec } from "./specification.ts";

/**
 * Build the layers of a list, for inputs of a shape. Layers are named by their place and kind, `0-conv`, inside a
 * residual block `3-residual.main.0-conv`.
 *
 * @param needsInputGradient whether something with parameters comes before
 * @throws RangeError with the layer's name when a layer does not fit its input
 */
export const buildLayers = (
  specs: readonly LayerSpec[],
  inputShape: Shape,
  options: { readonly prefix: string; readonly needsInputGradient: boolean },
  build: Build,
): Sequence => {
  const layers: Layer[] = [];
  let shape = inputShape;
  let { needsInputGradient } = options;
  for (const [i, spec] of specs.entries()) {
    const name = `${options.prefix}${i}-${spec.kind}`;
    const around = { previous: specs[i - 1]?.kind, next: specs[i + 1]?.kind, needsInputGradient };
    const layer = buildLayer(name, spec, shape, around, build);
    const before = layers.at(-1);
    if (layer instanceof BatchNorm && isWeighted(before)) before.weights.fold = layer.fold;
    layers.push(layer);
    shape = layer.outputShape;
    needsInputGradient ||= withParameters.has(spec.kind);
  }
  return new Sequence(inputShape, layers);
};

const isWeighted = (layer: Layer | undefined): layer is Conv | Depthwise | Dense =>
  layer instanceof Conv || layer instanceof Depthwise || layer instanceof Dense;

interface Around {
  readonly previous: LayerKind | undefined;
  readonly next: LayerKind | undefined;
  readonly needsInputGradient: boolean;
}

const withParameters: ReadonlySet<LayerKind> = new Set(["conv", "depthwise", "dense", "batch-norm", "gru", "residual"]);

/** Layers whose output no one else reads, so that the next may overwrite it. */
const overwritable: ReadonlySet<LayerKind | undefined> = new Set<LayerKind | undefined>([
  "conv",
  "depthwise",
  "dense",
  "batch-norm",
  "residual",
]);

const buildLayer = (name: string, spec: LayerSpec, shape: Shape, around: Around, build: Build): Layer => {
  const { needsInputGradient } = around;
  const bias = around.next !== "batch-norm";
  switch (spec.kind) {
    case "conv":
      return new Conv(
        name,
        geometryOf(name, shape, spec),
        { outputs: positive(name, "channels", spec.channels), bias: spec.bias ?? bias, needsInputGradient },
        build,
      );
    case "depthwise":
      return new Depthwise(name, geometryOf(name, shape, spec), { bias: spec.bias ?? bias }, build);
    case "dense": {
      const outputs = positive(name, "outputs", spec.outputs);
      const last = around.next === undefined;
      return new Dense(name, shape, { outputs, bias: spec.bias ?? bias, last, needsInputGradient }, build);
    }
    case "batch-norm":
      return new BatchNorm(name, shape, spec.epsilon ?? 1e-5, build);
    case "relu":
      return new Relu(name, shape, overwritable.has(around.previous), build);
    case "sigmoid":
    case "tanh":
      return new Curve(name, spec.kind, shape, build);
    case "gru": {
      const { hidden, gives = "last" } = spec;
      if (gives !== "last" && gives !== "all")
        throw new RangeError(`${name}: expected gives last or all, got ${gives}`);
      return new Gru(name, shape, { hidden: positive(name, "hidden", hidden), gives, needsInputGradient }, build);
    }
    case "max-pool":
    case "average-pool": {
      const { kernel, stride = kernel, padding = "valid" } = spec;
      return new Pool(name, spec.kind, geometryOf(name, shape, { kernel, stride, padding }), build);
    }
    case "global-average-pool":
      return new GlobalAveragePool(name, shape, build);
    case "flatten":
      return new Flatten(name, shape);
    case "residual": {
      const branch = (which: string, specs: readonly LayerSpec[]) =>
        buildLayers(specs, shape, { prefix: `${name}.${which}.`, needsInputGradient: true }, build);
      const branches = { main: branch("main", spec.layers), shortcut: branch("shortcut", spec.shortcut ?? []) };
      return new Residual(name, shape, branches, build);
    }
    case "dropout":
      if (!(spec.rate >= 0 && spec.rate < 1))
        throw new RangeError(`${name}: expected a rate in 0 … 1, got ${spec.rate}`);
      return new Dropout(shape, spec.rate, build);
    default: {
      const { kind } = spec as { kind: string };
      throw new RangeError(`layers: expected a known kind of layer at ${name}, got ${kind}`);
    }
  }
};

const positive = (name: string, what: string, value: number): number => {
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`${name}: expected ${what} as an integer > 0, got ${value}`);
};
