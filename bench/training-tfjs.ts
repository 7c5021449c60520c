import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";

/** One temporal convolution of a compact keyword net. */
export interface Convolution {
  readonly taps: number;
  readonly stride: 1 | 2;
  readonly inputs: number;
  readonly outputs: number;
}

/**
 * Training steps of tfjs on its WebAssembly backend, one thread: convolutions in time with relu, mean over time, dense,
 * cross-entropy, Adam. The backend has no gradient of convolutions by their kernels, so that each is a product a tap,
 * as `slice` and `matMul`.
 *
 * @param x [batch × frames × channels]
 * @returns one step at each call; done when the loss is known
 */
export const tfjsTraining = async (
  layers: readonly Convolution[],
  { x, labels, frames, classes }: { x: Float32Array; labels: readonly number[]; frames: number; classes: number },
): Promise<() => Promise<number>> => {
  const entry = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(`${dirname(entry)}/`);
  setThreadsCount(1);
  await tf.setBackend("wasm");
  registerGradients();
  const batch = labels.length;
  const input = tf.tensor3d(x, [batch, frames, layers[0]!.inputs]);
  const truth = tf.cast(tf.oneHot(tf.tensor1d([...labels], "int32"), classes), "float32");
  const variable = (shape: number[], inputs: number) =>
    tf.variable(tf.mul(tf.randomUniform(shape, -1, 1, "float32", 1), Math.sqrt(6 / inputs)));
  const kernels = layers.map(({ taps, inputs, outputs }) =>
    Array.from({ length: taps }, () => variable([inputs, outputs], taps * inputs)),
  );
  const biases = layers.map(({ outputs }) => tf.variable(tf.zeros([outputs])));
  const last = layers.at(-1)!.outputs;
  const [dense, denseBias] = [variable([last, classes], last), tf.variable(tf.zeros([classes]))];
  const adam = tf.train.adam(1e-3);
  const crossEntropy = tf.customGrad((...given: (tf.Tensor | tf.GradSaveFunc)[]) => {
    const [z, save] = given as [tf.Tensor, tf.GradSaveFunc];
    const shifted = tf.sub(z, tf.max(z, 1, true));
    const log = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)));
    save([log]);
    return {
      value: tf.mul(tf.sum(tf.mul(truth, log)), -1 / batch),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, tf.mul(tf.sub(tf.exp(saved[0]!), truth), 1 / batch)),
    };
  });
  const forward = (): tf.Scalar => {
    let value: tf.Tensor3D = input;
    for (const [l, layer] of layers.entries()) value = convolve(value, layer, kernels[l]!, biases[l]!);
    const logits = tf.add(tf.matMul(tf.mean(value, 1) as tf.Tensor2D, dense as tf.Tensor2D), denseBias);
    return crossEntropy(logits) as tf.Scalar;
  };
  return async () => {
    const loss = adam.minimize(forward, true)!;
    const [value = Number.NaN] = await loss.data();
    loss.dispose();
    return value;
  };
};

/** Zeros around the signal as `same`; taps as slices of the even and odd frames side by side, where the stride is 2. */
const convolve = (
  x: tf.Tensor3D,
  { taps, stride, inputs, outputs }: Convolution,
  kernels: readonly tf.Tensor[],
  bias: tf.Tensor,
): tf.Tensor3D => {
  const [batch, frames] = x.shape;
  const steps = Math.ceil(frames / stride);
  const total = Math.max(0, (steps - 1) * stride + taps - frames);
  const before = Math.floor(total / 2);
  const rows = steps + Math.ceil(taps / stride);
  const padded = tf.pad(x, [
    [0, 0],
    [before, rows * stride - frames - before],
    [0, 0],
  ]);
  const phases = tf.reshape(padded, [batch, rows, stride * inputs]);
  const products = kernels.map((kernel, tap) => {
    const part = tf.slice(phases, [0, Math.floor(tap / stride), (tap % stride) * inputs], [batch, steps, inputs]);
    return tf.matMul(tf.reshape(part, [batch * steps, inputs]) as tf.Tensor2D, kernel as tf.Tensor2D);
  });
  const sum = products.reduce((all, product) => tf.add(all, product));
  return tf.reshape(tf.relu(tf.add(sum, bias)), [batch, steps, outputs]) as tf.Tensor3D;
};

type Gradient = NonNullable<ReturnType<typeof tf.getGradient>>["gradFunc"];

/**
 * The gradients of the operations above, as tfjs-core has them in its `dist/gradients`: the package's build for Node
 * leaves them out.
 */
const registerGradients = (): void => {
  const register = (kernelName: string, inputsToSave: string[], gradFunc: Gradient): void => {
    if (!tf.getGradient(kernelName)) tf.registerGradient({ kernelName, inputsToSave, gradFunc });
  };
  const one = (dy: tf.Tensor | tf.Tensor[]): tf.Tensor => dy as tf.Tensor;
  const summedTo = (dy: tf.Tensor, like: tf.Tensor): tf.Tensor =>
    dy.rank === like.rank ? dy : tf.reshape(tf.sum(dy, [...dy.shape.keys()].slice(0, -like.rank)), like.shape);
  register("Add", ["a", "b"], (dy, saved) => ({
    a: () => summedTo(one(dy), saved[0]!),
    b: () => summedTo(one(dy), saved[1]!),
  }));
  register("BatchMatMul", ["a", "b"], (dy, saved) => ({
    a: () => tf.matMul(one(dy), saved[1]!, false, true),
    b: () => tf.matMul(saved[0]!, one(dy), true, false),
  }));
  register("Relu", ["x"], (dy, saved) => ({ x: () => tf.mul(one(dy), tf.step(saved[0]!)) }));
  register("Reshape", ["x"], (dy, saved) => ({ x: () => tf.reshape(one(dy), saved[0]!.shape) }));
  register("Slice", ["x"], (dy, saved, attributes) => ({
    x: () => {
      const { begin, size } = attributes as unknown as { begin: number[]; size: number[] };
      const rests = saved[0]!.shape.map((n, axis) => n - begin[axis]! - size[axis]!);
      return tf.pad(
        one(dy),
        begin.map((n, axis): [number, number] => [n, rests[axis]!]),
      );
    },
  }));
  register("PadV2", ["x"], (dy, saved, attributes) => ({
    x: () => {
      const { paddings } = attributes as unknown as { paddings: [number, number][] };
      return tf.slice(
        one(dy),
        paddings.map(([before]) => before),
        saved[0]!.shape,
      );
    },
  }));
  // Over axis 1, the time.
  register("Mean", ["x"], (dy, saved) => ({
    x: () => tf.mul(tf.expandDims(one(dy), 1), tf.fill(saved[0]!.shape, 1 / saved[0]!.shape[1]!)),
  }));
};
