import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { env, InferenceSession, Tensor } from "onnxruntime-web";
import type { Graph } from "../models/network/graph.ts";

/** Runs a model by onnxruntime's WebAssembly build: SIMD, one thread. */
export const onnxruntimeWeb = async (
  model: Uint8Array,
  input: Float32Array,
  shape: readonly number[],
): Promise<() => Promise<unknown>> => {
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(model, { executionProviders: ["wasm"] });
  const feeds = { [session.inputNames[0]!]: new Tensor("float32", input, shape) };
  return () => session.run(feeds);
};

/** Runs a graph of conv, depthwise, relu, global average pool and dense by TensorFlow.js on WebAssembly, one thread. */
export const tensorflowWasm = async (graph: Graph, input: Float32Array): Promise<() => unknown> => {
  const module = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(`${dirname(module)}/`);
  setThreadsCount(1);
  await tf.setBackend("wasm");
  await tf.ready();
  const [height = 1, width = 1, channels = 1] = graph.input.shape;
  const x = tf.tensor4d(input, [1, height, width, channels]);
  const layers = graph.nodes.map((node, index): ((x: tf.Tensor) => tf.Tensor) => {
    const activation = graph.nodes[index + 1]?.kind === "relu" ? ("relu" as const) : ("linear" as const);
    if (node.kind === "conv" || node.kind === "depthwise") {
      const outputs = node.bias.length;
      const [kernelHeight, kernelWidth] = node.kernel;
      const weights = tf.tensor(node.weights, [outputs, node.weights.length / outputs]);
      const bias = tf.tensor1d(node.bias);
      const taps = tf.transpose(weights); // TensorFlow has kernels as [height, width, inputs, outputs]
      const common = { strides: node.stride as [number, number], pad: "same" as const, bias, activation };
      if (node.kind === "depthwise") {
        const filter = tf.reshape(taps, [kernelHeight, kernelWidth, outputs, 1]) as tf.Tensor4D;
        return (x) => tf.fused.depthwiseConv2d({ x: x as tf.Tensor4D, filter, ...common });
      }
      const filter = tf.reshape(taps, [kernelHeight, kernelWidth, -1, outputs]) as tf.Tensor4D;
      return (x) => tf.fused.conv2d({ x: x as tf.Tensor4D, filter, ...common });
    }
    if (node.kind === "dense") {
      const outputs = node.bias.length;
      const b = tf.tensor2d(node.weights, [outputs, node.weights.length / outputs]);
      const bias = tf.tensor1d(node.bias);
      return (x) => tf.fused.matMul({ a: x as tf.Tensor2D, b, transposeB: true, bias });
    }
    if (node.kind === "global-average-pool") return (x) => tf.mean(x, [1, 2]);
    return (x) => x; // a relu, done with the layer before
  });
  return () => tf.tidy(() => layers.reduce<tf.Tensor>((value, layer) => layer(value), x).dataSync());
};
