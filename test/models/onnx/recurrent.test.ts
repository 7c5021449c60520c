import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { readOnnx } from "../../../models/onnx/read.ts";
import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor } from "../../../models/onnx/schema.ts";
import { SequentialRandom } from "../../../models/random.ts";

const [steps, features, hidden] = [8, 3, 5];
const random = new SequentialRandom(4);

const float = (name: string, dims: number[]): OnnxTensor => ({
  ...{ name, dims, dataType: 1 },
  floatData: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 0.5 * random.gaussian()),
});
const axes = (name: string, values: number[]): OnnxTensor => ({
  ...{ name, dims: [values.length], dataType: 7, int64Data: values },
});
const info = (name: string, dims: number[]) => ({
  name,
  type: {
    tensorType: { elemType: 1, shape: { dim: [{ dimParam: "batch" }, ...dims.map((dimValue) => ({ dimValue }))] } },
  },
});
const constants = [
  float("W", [1, 3 * hidden, features]),
  float("R", [1, 3 * hidden, hidden]),
  float("B", [1, 6 * hidden]),
  axes("first", [0]),
  axes("second", [1]),
  { ...axes("end", [-1]), dims: [] },
  { ...axes("begin", [0]), dims: [] },
];

/** What `torch.onnx.export` makes of `nn.GRU(batch_first=True)`: time to the front, GRU, and back. */
const exported = (after: OnnxNode[], outputs: string[], dims: number[], reset = 1): Uint8Array => {
  const perm = (ints: number[]): OnnxAttribute[] => [{ name: "perm", ints, type: 7 }];
  const attribute: OnnxAttribute[] = [
    { name: "hidden_size", i: hidden, type: 2 },
    { name: "linear_before_reset", i: reset, type: 2 },
  ];
  return encodeModel({
    ...{ irVersion: 8, opsetImport: [{ domain: "", version: 17 }] },
    graph: {
      ...{ name: "gru", initializer: constants, input: [info("x", [steps, features])], output: [info("y", dims)] },
      node: [
        { opType: "Transpose", input: ["x"], output: ["time-first"], attribute: perm([1, 0, 2]) },
        { opType: "GRU", input: ["time-first", "W", "R", "B"], output: outputs, attribute },
        ...after.map((node) => ({ ...node, ...(node.opType === "Transpose" && { attribute: perm([1, 0, 2]) }) })),
      ],
    },
  });
};
const lastState = [{ opType: "Squeeze", input: ["h", "first"], output: ["y"] }];
const allStates = [
  { opType: "Squeeze", input: ["all", "second"], output: ["states"] },
  { opType: "Transpose", input: ["states"], output: ["y"] },
];
const stepOfStates = (index: string) => [
  ...allStates.map((node) => ({ ...node, output: node.output.map((name) => (name === "y" ? "batch-first" : name)) })),
  { opType: "Gather", input: ["batch-first", index], output: ["y"], attribute: [{ name: "axis", i: 1, type: 2 }] },
];

describe("readOnnx of a GRU", () => {
  it.each([
    ["its last state", exported(lastState, ["", "h"], [hidden]), [hidden]],
    ["the last of all its states", exported(stepOfStates("end"), ["all"], [hidden]), [hidden]],
    ["all its states, time before features", exported(allStates, ["all"], [steps, hidden]), [steps, hidden]],
  ])("runs an export with the batch first as onnxruntime does, within 1e-4: %s", async (_, bytes, dims) => {
    const graph = readOnnx(bytes);
    expect(graph.input.shape).toEqual([1, steps, features]);
    const x = Float32Array.from({ length: steps * features }, () => random.gaussian());
    const session = await InferenceSession.create(bytes);
    const oracle = (await session.run({ x: new Tensor("float32", x, [1, steps, features]) }))["y"]!;
    expect(oracle.dims).toEqual([1, ...dims]);
    const y = new Float32Array(oracle.data.length);
    new DigitalNetwork(graph).infer(x, y);
    // States lie within ± 1; sums of up to 8 Float32 products, eight steps in turn.
    y.forEach((value, i) => {
      expect(Math.abs(value - (oracle.data as Float32Array)[i]!)).toBeLessThan(1e-4);
    });
  });

  it("refuses the form that resets before it multiplies, and says which it takes", () => {
    expect(() => readOnnx(exported(lastState, ["", "h"], [hidden], 0))).toThrow(
      "(GRU): expected linear_before_reset 1, as PyTorch and Keras export it, got 0",
    );
  });

  it("refuses another step than the last", () => {
    expect(() => readOnnx(exported(stepOfStates("begin"), ["all"], [hidden]))).toThrow(
      "expected the last step, −1, got 0",
    );
  });

  it("refuses to go on where time still stands before the batch", () => {
    const after = [{ opType: "Relu", input: ["h"], output: ["y"] }];
    expect(() => readOnnx(exported(after, ["", "h"], [hidden]))).toThrow(
      "expected the batch as the first axis, got axis 1",
    );
  });
});
