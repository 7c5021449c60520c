import { InferenceSession, Tensor } from "onnxruntime-node";
import { pcmNandakumar2019 } from "../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { AnalogNetwork } from "../models/network/analog.ts";
import { calibrateRanges } from "../models/network/calibrate-ranges.ts";
import { DigitalNetwork } from "../models/network/digital.ts";
import type { Graph, Node } from "../models/network/graph.ts";
import { writeOnnx } from "../models/onnx/write.ts";
import { SequentialRandom } from "../models/random.ts";
import { onnxruntimeWeb, tensorflowWasm } from "./other-runtimes.ts";
import { compare, printTable, type Way } from "./timing.ts";

/**
 * Print what one inference of MLPerf Tiny's keyword network costs (DS-CNN: 49 × 10 input, 2.7 million products), with
 * every product on analog tiles with read noise and converters of 8 bits, beside Float32 by our kernels and by other
 * runtimes on one thread. The weights are random: this is about time, not accuracy.
 */
export const run = async (): Promise<void> => {
  const graph = dsCnn();
  const random = new SequentialRandom(2);
  const samples = Array.from({ length: 20 }, () => Float32Array.from({ length: 490 }, () => random.gaussian()));
  const input = samples[0]!;
  const output = new Float32Array(12);
  const mapping = calibrateRanges(graph, samples, { dacBits: 8, adcBits: 8, tileInputs: 256, tileOutputs: 256 });
  const analog = new AnalogNetwork(graph, { device: pcmNandakumar2019, seed: 1, mapping, kernel: "simd" });
  const digital = new DigitalNetwork(graph);
  const session = await InferenceSession.create(writeOnnx(graph), { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const feeds = { [session.inputNames[0]!]: new Tensor("float32", input, [1, 49, 10, 1]) };
  const ways: Way[] = [
    { name: "onnxruntime-node, Float32", call: () => session.run(feeds) },
    { name: "analog, read noise, 8 bits", call: () => analog.infer(input, output) },
    { name: "onnxruntime-web, WebAssembly", call: await onnxruntimeWeb(writeOnnx(graph), input, [1, 49, 10, 1]) },
    { name: "tfjs, WebAssembly", call: await tensorflowWasm(graph, input) },
    { name: "our digital, Float32", call: () => digital.infer(input, output) },
  ];
  printTable("DS-CNN, one sample", "an inference", await compare(ways, { rounds: 101, millisecondsEach: 5 }));
};

/** The network of MLPerf Tiny's keyword benchmark (Banbury et al. 2021), batch normalisation folded, without softmax. */
export const dsCnn = (): Graph => {
  const random = new SequentialRandom(1);
  const gaussians = (length: number, scale: number) => Float32Array.from({ length }, () => scale * random.gaussian());
  const nodes: Node[] = [];
  let last = "features";
  const push = (node: Node, relu: boolean): void => {
    nodes.push(node);
    last = node.output.name;
    if (!relu) return;
    const { shape } = node.output;
    nodes.push({ kind: "relu", name: `${last}-relu`, inputs: [last], output: { name: `${last}-relu-out`, shape } });
    last = `${last}-relu-out`;
  };
  const image = (kind: "conv" | "depthwise", name: string, kernel: [number, number], inputs: number): void => {
    const first = name === "first";
    push(
      {
        kind,
        name,
        inputs: [last],
        output: { name: `${name}-out`, shape: [25, 5, 64] },
        kernel,
        stride: first ? [2, 2] : [1, 1],
        dilation: [1, 1],
        padding: first ? [4, 1, 5, 1] : kind === "conv" ? [0, 0, 0, 0] : [1, 1, 1, 1],
        weights: gaussians(64 * inputs, Math.sqrt(2 / inputs)),
        bias: gaussians(64, 0.1),
      },
      true,
    );
  };
  image("conv", "first", [10, 4], 40);
  for (let block = 0; block < 4; block++) {
    image("depthwise", `depthwise-${block}`, [3, 3], 9);
    image("conv", `pointwise-${block}`, [1, 1], 64);
  }
  push({ kind: "global-average-pool", name: "pool", inputs: [last], output: { name: "mean", shape: [64] } }, false);
  const output = { name: "scores", shape: [12] };
  push(
    {
      kind: "dense",
      name: "dense",
      inputs: [last],
      output,
      weights: gaussians(12 * 64, 0.1),
      bias: gaussians(12, 0.1),
    },
    false,
  );
  return { name: "ds-cnn", input: { name: "features", shape: [49, 10, 1] }, output, nodes, metadata: {} };
};
