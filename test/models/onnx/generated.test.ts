import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { readOnnx } from "../../../models/onnx/read.ts";
import { writeOnnx } from "../../../models/onnx/write.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { sizeOf } from "../../../models/tensor.ts";
import { type FilePlan, randomFile } from "./random-files.ts";

/** How many random files; more by hand: `OHMWATCH_GENERATED=20000 npx vitest run test/models/onnx/generated.test.ts`. */
const runs = Number(process.env["OHMWATCH_GENERATED"] ?? 100);

const plans: fc.Arbitrary<FilePlan> = fc.record({
  style: fc.constantFrom("image", "signal", "keras image", "steps", "features"),
  operators: fc.array(fc.nat(100), { minLength: 1, maxLength: 9 }),
  opset: fc.integer({ min: 11, max: 18 }),
  seed: fc.nat(1_000_000),
});

/** [channels, positions] → [positions, channels] */
const channelsLast = (x: Float32Array, dims: readonly number[]): Float32Array => {
  const channels = dims[0]!;
  const positions = x.length / channels;
  return x.map((_, i) => x[(i % channels) * positions + Math.floor(i / channels)]!);
};

/**
 * The numbers of a value in the order of the graph, which has channels last where the file has them first: then its shape
 * is the file's turned. A square tells nothing: then both orders, the turned one second.
 */
const ordersOf = (x: Float32Array, dims: readonly number[], shape: readonly number[]): Float32Array[] => {
  const [file, turned, ours] = [dims, [...dims.slice(1), dims[0]!], shape].map((s) => s.filter((n) => n > 1).join());
  return [...(ours === file ? [x] : []), ...(ours === turned ? [channelsLast(x, dims)] : [])];
};

describe("readOnnx on generated files", () => {
  it(`gives what onnxruntime gives within 1e-4 of the largest output, and so does what it writes (${runs} files)`, async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const file = randomFile(plan);
        for (const name of file.operators) seen.set(name, (seen.get(name) ?? 0) + 1);
        const random = new SequentialRandom(plan.seed, [1, 0, 0]);
        const x = Float32Array.from({ length: sizeOf(file.inputDims) }, () => random.gaussian());
        const session = await InferenceSession.create(file.bytes, {
          logSeverityLevel: 4,
          graphOptimizationLevel: "disabled",
        });
        const { y } = await session.run({ x: new Tensor("float32", x, [1, ...file.inputDims]) });
        const graph = readOnnx(file.bytes);
        const input = ordersOf(x, file.inputDims, graph.input.shape)[0]!;
        const oracles = ordersOf(y!.data as Float32Array, file.outputDims, graph.output.shape);
        const [oracle] = oracles as [Float32Array];
        const scale = oracle.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
        const expectNear = (got: Float32Array): void => {
          expect(got.length).toBe(oracle.length);
          const farthest = oracles.map((o) => got.reduce((most, v, i) => Math.max(most, Math.abs(v - o[i]!)), 0));
          expect(Math.min(...farthest) / scale).toBeLessThan(1e-4);
        };
        const ours = new Float32Array(sizeOf(graph.output.shape));
        new DigitalNetwork(graph).infer(input, ours);
        expectNear(ours);
        const written = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 });
        const again = await written.run({
          [graph.input.name]: new Tensor("float32", input, [1, ...graph.input.shape]),
        });
        expectNear(again[graph.output.name]!.data as Float32Array);
      }),
      { numRuns: runs, seed: 18 },
    );
    expect([...seen.keys()].sort()).toEqual([
      ..."Add AveragePool BatchNormalization Cast Clip Concat Conv Div Flatten Gather Gemm GlobalAveragePool".split(
        " ",
      ),
      ..."GlobalMaxPool Identity LeakyRelu MatMul MaxPool Mul Pad ReduceMean Relu Reshape Shape Sigmoid Softmax".split(
        " ",
      ),
      ..."Squeeze Sub Tanh Transpose Unsqueeze".split(" "),
    ]);
  }, 240_000);
});
