import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { ModelError } from "../../../models/network/model-error.ts";
import { readOnnx } from "../../../models/onnx/read.ts";
import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor } from "../../../models/onnx/schema.ts";
import { writeOnnx } from "../../../models/onnx/write.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { sizeOf } from "../../../models/tensor.ts";
import { randomGraphs } from "../network/random-graphs.ts";

const random = new SequentialRandom(5);
const gaussians = (length: number): Float32Array => Float32Array.from({ length }, () => random.gaussian() / 2);

const floats = (name: string, ...dims: number[]): OnnxTensor => ({
  name,
  dims,
  dataType: 1,
  floatData: [...gaussians(sizeOf(dims))],
});
const positive = (name: string, ...dims: number[]): OnnxTensor => ({
  ...floats(name, ...dims),
  floatData: [...gaussians(sizeOf(dims))].map((x) => 0.5 + x * x),
});
const ints = (name: string, values: number[]): OnnxTensor => ({
  name,
  dims: [values.length],
  dataType: 7,
  int64Data: values,
});

const attribute = (name: string, value: number | number[] | string): OnnxAttribute => {
  if (typeof value === "number") return { name, i: value, type: 2 };
  if (typeof value === "string") return { name, s: new TextEncoder().encode(value), type: 3 };
  return { name, ints: value, type: 7 };
};
const node = (
  opType: string,
  input: string[],
  output: string,
  attributes: Record<string, number | number[] | string> = {},
): OnnxNode => ({
  opType,
  name: `/${output}`,
  input,
  output: [output],
  attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
});

interface File {
  shape: number[];
  output: number[];
  nodes: OnnxNode[];
  initializer: OnnxTensor[];
  opset?: number;
}
const valueInfo = (name: string, shape: number[]) => ({
  name,
  type: { tensorType: { elemType: 1, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
});
/** As PyTorch exports: channels first, initialisers as lists of floats, a fixed batch of 1. */
const fileOf = ({ shape, output, nodes, initializer, opset = 17 }: File): Uint8Array =>
  encodeModel({
    irVersion: 8,
    opsetImport: [{ version: opset }],
    graph: {
      name: "torch",
      node: nodes,
      initializer,
      input: [valueInfo("x", [1, ...shape])],
      output: [valueInfo("y", [1, ...output])],
    },
  });

/** [channels, positions] → [positions, channels] */
const channelsLast = (x: Float32Array, channels: number): Float32Array => {
  const positions = x.length / channels;
  return x.map((_, i) => x[(i % channels) * positions + Math.floor(i / channels)]!);
};

/** Run by onnxruntime as it is, and by us with channels last; both outputs channels last. */
const runBoth = async (file: File, outputChannels: number): Promise<{ oracle: Float32Array; ours: Float32Array }> => {
  const bytes = fileOf(file);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const x = gaussians(sizeOf(file.shape));
  const { data } = (await session.run({ x: new Tensor("float32", x, [1, ...file.shape]) }))["y"]!;
  const graph = readOnnx(bytes);
  const ours = new Float32Array(sizeOf(graph.output.shape));
  new DigitalNetwork(graph).infer(file.shape.length > 1 ? channelsLast(x, file.shape[0]!) : x, ours);
  return { oracle: channelsLast(data as Float32Array, outputChannels), ours };
};

const expectNear = (a: Float32Array, b: Float32Array): void => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(1e-4);
};

const conv1d: File = {
  shape: [2, 20],
  output: [3],
  nodes: [
    node("Conv", ["x", "w1", "b1"], "c1", { kernel_shape: [3], pads: [1, 1], strides: [2], dilations: [1], group: 1 }),
    node("BatchNormalization", ["c1", "g", "b", "m", "v"], "n1"),
    node("Relu", ["n1"], "r1"),
    node("MaxPool", ["r1"], "p1", { kernel_shape: [2], strides: [2] }),
    node("Flatten", ["p1"], "f1"),
    node("BatchNormalization", ["f1", "g2", "b2", "m2", "v2"], "n2"),
    node("Dropout", ["n2"], "d1"),
    node("Gemm", ["d1", "w2", "b3"], "l1", { transB: 1 }),
    node("Softmax", ["l1"], "y", { axis: 1 }),
  ],
  initializer: [
    floats("w1", 4, 2, 3),
    floats("b1", 4),
    ...["g", "b", "m"].map((name) => floats(name, 4)),
    positive("v", 4),
    ...["g2", "b2", "m2"].map((name) => floats(name, 20)),
    positive("v2", 20),
    floats("w2", 3, 20),
    floats("b3", 3),
  ],
};

describe("readOnnx", () => {
  it("reads a PyTorch net over signals [channels, width] as height 1, and its flattened features in order", async () => {
    const graph = readOnnx(fileOf(conv1d));
    expect(graph.input.shape).toEqual([1, 20, 2]);
    expect(graph.nodes[0]!.output.shape).toEqual([1, 10, 4]);
    const { oracle, ours } = await runBoth(conv1d, 3);
    expectNear(ours, oracle);
  });

  it("reads a PyTorch net over images, with pools, branches, constants, MatMul and Add", async () => {
    const file: File = {
      shape: [3, 8, 6],
      output: [5],
      nodes: [
        node("Conv", ["x", "w1"], "c1", { auto_pad: "SAME_UPPER", strides: [2, 1], kernel_shape: [3, 2] }),
        node("Add", ["c1", "shift"], "a0"),
        node("Clip", ["a0", "zero", "six"], "k1"),
        node("Conv", ["k1", "w2", "b2"], "c2", { group: 4, pads: [1, 1, 1, 1], kernel_shape: [3, 3] }),
        node("Add", ["k1", "c2"], "a1"),
        node("AveragePool", ["a1"], "p1", { kernel_shape: [2, 2], strides: [2, 2] }),
        { opType: "Constant", output: ["s"], attribute: [{ name: "value", t: ints("", [-1, 24]), type: 4 }] },
        node("Reshape", ["p1", "s"], "f1"),
        node("MatMul", ["f1", "w3"], "m1"),
        node("Add", ["b3", "m1"], "y0"),
        node("Identity", ["y0"], "y"),
      ],
      initializer: [
        floats("w1", 4, 3, 3, 2),
        floats("shift", 1, 4, 1, 1),
        { name: "zero", dims: [], dataType: 1, floatData: [0] },
        { name: "six", dims: [], dataType: 1, floatData: [6] },
        floats("w2", 4, 1, 3, 3),
        floats("b2", 4),
        floats("w3", 24, 5),
        floats("b3", 5),
      ],
    };
    const { oracle, ours } = await runBoth(file, 5);
    expectNear(ours, oracle);
    expect(readOnnx(fileOf(file)).nodes.map((n) => n.kind)).toEqual([
      ...["conv", "relu6", "depthwise", "add", "average-pool", "reshape", "dense"],
    ]);
  });

  it("gives images of a net that ends in them channels last", async () => {
    const nodes = [node("Conv", ["x", "w"], "c"), node("GlobalAveragePool", ["c"], "p"), node("Sigmoid", ["c"], "y")];
    const file = {
      shape: [3, 5, 4],
      output: [2, 4, 3],
      nodes: [nodes[0]!, nodes[2]!],
      initializer: [floats("w", 2, 3, 2, 2)],
    };
    const { oracle, ours } = await runBoth(file, 2);
    expectNear(ours, oracle);
    expect(readOnnx(fileOf(file)).output.shape).toEqual([4, 3, 2]);
  });

  it("flattens a global mean without a node, whatever the file does to drop its axes", async () => {
    const nodes = [
      node("Conv", ["x", "w"], "c"),
      node("GlobalAveragePool", ["c"], "p"),
      node("Flatten", ["p"], "f", { axis: 1 }),
      node("Gemm", ["f", "w2"], "y"),
    ];
    const file = { shape: [3, 9], output: [2], nodes, initializer: [floats("w", 4, 3, 3), floats("w2", 4, 2)] };
    expect(readOnnx(fileOf(file)).nodes.map((n) => n.kind)).toEqual(["conv", "global-average-pool", "dense"]);
    const { oracle, ours } = await runBoth(file, 2);
    expectNear(ours, oracle);
  });

  it("reads a scaler and a linear classifier of scikit-learn, and leaves its labels out", async () => {
    const floatsOf = (name: string, floats: number[]): OnnxAttribute => ({ name, floats, type: 6 });
    const ml = (opType: string, input: string[], output: string[], attribute: OnnxAttribute[]): OnnxNode => ({
      ...{ opType, name: opType, domain: "ai.onnx.ml", input, output, attribute },
    });
    const bytes = encodeModel({
      irVersion: 8,
      opsetImport: [{ version: 15 }, { domain: "ai.onnx.ml", version: 1 }],
      graph: {
        name: "sklearn",
        node: [
          ml("Scaler", ["x"], ["scaled"], [floatsOf("offset", [1, -2, 0.5]), floatsOf("scale", [0.5, 2, 1])]),
          ml(
            "LinearClassifier",
            ["scaled"],
            ["label", "scores"],
            [
              floatsOf("coefficients", [...gaussians(12)]),
              floatsOf("intercepts", [...gaussians(4)]),
              { name: "classlabels_ints", ints: [0, 1, 2, 3], type: 7 },
              attribute("post_transform", "SOFTMAX"),
            ],
          ),
          ml("Normalizer", ["scores"], ["probabilities"], [attribute("norm", "L1")]),
        ],
        input: [valueInfo("x", [1, 3])],
        output: [
          { name: "label", type: { tensorType: { elemType: 7, shape: { dim: [{ dimValue: 1 }] } } } },
          valueInfo("probabilities", [1, 4]),
        ],
      },
    });
    const x = gaussians(3);
    const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
    const oracle = (await session.run({ x: new Tensor("float32", x, [1, 3]) }))["probabilities"]!.data as Float32Array;
    const graph = readOnnx(bytes);
    const ours = new Float32Array(4);
    new DigitalNetwork(graph).infer(x, ours);
    expectNear(ours, oracle);
    expect(graph.nodes.map((n) => n.kind)).toEqual(["batch-norm", "dense", "softmax"]);
  });

  it("keeps metadata in order", () => {
    const graph = { ...randomGraphs["depthwise"]!, metadata: { b: "2", a: "ünïcode", "ohmwatch.manifest": "{}" } };
    expect(Object.entries(readOnnx(writeOnnx(graph)).metadata)).toEqual(Object.entries(graph.metadata));
  });
});

describe("readOnnx refuses", () => {
  const changed = (change: Partial<File>): (() => unknown) => {
    const bytes = fileOf({ ...conv1d, ...change });
    return () => readOnnx(bytes);
  };
  const withNode = (index: number, replacement: OnnxNode) =>
    changed({ nodes: conv1d.nodes.map((n, i) => (i === index ? replacement : n)) });

  it("bytes that are no model, at every length of a truncated file, with a ModelError and nothing else", () => {
    const bytes = fileOf(conv1d);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readOnnx(bytes.subarray(0, length)), `${length} bytes`).toThrow(ModelError);
    }
    const noise = Uint8Array.from({ length: 500 }, () => random.integer(256));
    for (const garbage of [noise, new TextEncoder().encode("<!doctype html><title>404</title>")]) {
      expect(() => readOnnx(garbage)).toThrow(ModelError);
    }
    expect(() => readOnnx(new Uint8Array())).toThrow("model: expected an ONNX file with a graph of nodes, got none");
  });

  it("a file with three bytes changed by a ModelError, where it does not read it", () => {
    const bytes = writeOnnx(randomGraphs["depthwise separable"]!);
    let refused = 0;
    for (let i = 0; i < 600; i++) {
      const broken = bytes.slice();
      for (let k = 0; k < 3; k++) broken[random.integer(bytes.length)] = random.integer(256);
      try {
        readOnnx(broken);
      } catch (error) {
        expect(error).toBeInstanceOf(ModelError);
        refused++;
      }
    }
    // About half of the bytes are structure and names, the rest weights that may be anything.
    expect(refused).toBeGreaterThan(100);
  });

  it("an operator that is not ours, naming it and those that are", () => {
    expect(withNode(2, node("Erf", ["n1"], "r1"))).toThrow(
      /^node \/r1: expected one of Add, AveragePool, .*, ai\.onnx\.ml\.Scaler, got operator Erf$/,
    );
  });

  it("a missing initialiser", () => {
    const initializer = conv1d.initializer.filter(({ name }) => name !== "w1");
    expect(changed({ initializer })).toThrow("node /c1 (Conv): expected an initialiser w1, got none of that name");
  });

  it("weights that do not fit their input", () => {
    const initializer = conv1d.initializer.map((t) => (t.name === "w2" ? floats("w2", 3, 21) : t));
    expect(changed({ initializer })).toThrow("node /l1 (Gemm): expected weights for 20 inputs, got 21");
  });

  it("an initialiser with fewer numbers than its shape", () => {
    const initializer = conv1d.initializer.map((t) => (t.name === "w1" ? { ...t, floatData: [1, 2] } : t));
    expect(changed({ initializer })).toThrow("initialiser w1: expected 24 numbers for [4,2,3], got 2");
  });

  it("convolutions in groups that do not divide the channels", () => {
    const grouped = node("Conv", ["x", "w1", "b1"], "c1", { group: 3 });
    expect(withNode(0, grouped)).toThrow("node /c1 (Conv): expected a group that divides 2 channels, got 3");
  });

  it("an output of another shape than the file declares", () => {
    expect(changed({ output: [4] })).toThrow("output y: expected [4] as the file declares, got [3]");
  });

  it("an input whose size is open", () => {
    expect(changed({ shape: [2, 0] })).toThrow(
      "input x: expected a fixed shape of 1 to 3 axes behind the batch, got [batch, 2, open]",
    );
  });
});
