import type { Graph, Node } from "../../../models/network/graph.ts";
import { outputShapeOf } from "../../../models/network/shapes.ts";
import { SequentialRandom } from "../../../models/random.ts";
import type { Shape } from "../../../models/tensor.ts";

type Window = { kernel: [number, number]; stride?: [number, number]; dilation?: [number, number]; padding?: number[] };

/** Builds a graph layer by layer with seeded weights of the usual size, so that activations stay near 1. */
export class GraphBuilder {
  readonly random: SequentialRandom;
  readonly #nodes: Node[] = [];
  readonly #shapes = new Map<string, Shape>();
  readonly #input: { name: string; shape: Shape };
  #last: string;

  constructor(shape: Shape, seed: number) {
    this.random = new SequentialRandom(seed);
    this.#input = { name: "input", shape };
    this.#shapes.set("input", shape);
    this.#last = "input";
  }

  gaussians(length: number, sigma = 1): Float32Array {
    return Float32Array.from({ length }, () => sigma * this.random.gaussian());
  }
  get last(): string {
    return this.#last;
  }
  get #shape(): Shape {
    return this.#shapes.get(this.#last)!;
  }

  /** Go on from an earlier value. */
  from(value: string): this {
    this.#last = value;
    return this;
  }

  conv(outputs: number, window: Window): this {
    const inputs = window.kernel[0] * window.kernel[1] * this.#shape[2]!;
    const weights = this.gaussians(outputs * inputs, 1 / Math.sqrt(inputs));
    return this.#add({ kind: "conv", ...windowOf(window), weights, bias: this.gaussians(outputs, 0.2) });
  }
  depthwise(window: Window): this {
    const channels = this.#shape[2]!;
    const taps = window.kernel[0] * window.kernel[1];
    const weights = this.gaussians(channels * taps, 1 / Math.sqrt(taps));
    return this.#add({ kind: "depthwise", ...windowOf(window), weights, bias: this.gaussians(channels, 0.2) });
  }
  dense(outputs: number): this {
    const inputs = this.#shape[0]!;
    const weights = this.gaussians(outputs * inputs, 1 / Math.sqrt(inputs));
    return this.#add({ kind: "dense", weights, bias: this.gaussians(outputs, 0.2) });
  }
  gru(hidden: number, gives: "last" | "all"): this {
    const [, steps = 1, features = 1] = this.#shape;
    const [weights, recurrent] = [features, hidden].map((n) => this.gaussians(3 * hidden * n, 1 / Math.sqrt(n)));
    const [bias, recurrentBias] = [this.gaussians(3 * hidden, 0.2), this.gaussians(3 * hidden, 0.2)];
    const shape = gives === "last" ? [hidden] : [1, steps, hidden];
    return this.#add({ kind: "gru", hidden, steps, weights, recurrent, bias, recurrentBias }, [this.#last], shape);
  }
  pool(kind: "max-pool" | "average-pool", window: Window): this {
    const { kernel, stride, padding } = windowOf(window);
    return this.#add({ kind, kernel, stride, padding });
  }
  batchNorm(): this {
    const channels = this.#shape.at(-1)!;
    const variance = this.gaussians(channels).map((x) => 0.5 + x * x);
    const [gamma, beta, mean] = [1, 2, 3].map(() => this.gaussians(channels, 0.5)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    return this.#add({ kind: "batch-norm", gamma, beta, mean, variance, epsilon: 1e-5 });
  }
  plain(kind: "relu" | "relu6" | "sigmoid" | "tanh" | "softmax" | "global-average-pool"): this {
    return this.#add({ kind });
  }
  reshape(shape: Shape): this {
    return this.#add({ kind: "reshape" }, [this.#last], shape);
  }
  addTo(other: string): this {
    return this.#add({ kind: "add" }, [other, this.#last]);
  }

  build(): Graph {
    const output = { name: this.#last, shape: this.#shape };
    return { name: "random", input: this.#input, output, nodes: this.#nodes, metadata: { seeded: "yes" } };
  }

  #add(fields: object, inputs = [this.#last], shape: Shape = []): this {
    const index = this.#nodes.length;
    const name = `${index}-${(fields as { kind: string }).kind}`;
    const node = { ...fields, name, inputs, output: { name: `value-${index}`, shape } } as unknown as Node;
    const given = outputShapeOf(
      node,
      inputs.map((input) => this.#shapes.get(input)!),
    );
    this.#nodes.push({ ...node, output: { name: node.output.name, shape: given } });
    this.#shapes.set(node.output.name, given);
    this.#last = node.output.name;
    return this;
  }
}

const windowOf = ({ kernel, stride = [1, 1], dilation = [1, 1], padding = [0, 0, 0, 0] }: Window) => ({
  kernel,
  stride,
  dilation,
  padding: padding as unknown as readonly [number, number, number, number],
});

/** A residual block as the keyword net has it: two convolutions and a 1 × 1 on the other way. */
const residual = (builder: GraphBuilder, channels: number): GraphBuilder => {
  const from = builder.last;
  builder
    .conv(channels, { kernel: [1, 9], stride: [1, 2], padding: [0, 4, 0, 4] })
    .batchNorm()
    .plain("relu");
  const way = builder.conv(channels, { kernel: [1, 9], padding: [0, 4, 0, 4] }).batchNorm().last;
  builder
    .from(from)
    .conv(channels, { kernel: [1, 1], stride: [1, 2] })
    .batchNorm();
  return builder.addTo(way).plain("relu");
};

const make = (shape: Shape, seed: number): GraphBuilder => new GraphBuilder(shape, seed);

/** One graph for each kind of layer and for the kinds of networks that we train. */
export const randomGraphs: Readonly<Record<string, Graph>> = {
  "dense with relu and softmax": make([7], 1).dense(5).plain("relu").dense(3).plain("softmax").build(),
  "conv1d, strided and padded on one side": make([1, 31, 3], 2)
    .conv(5, { kernel: [1, 4], stride: [1, 3], padding: [0, 2, 0, 1] })
    .plain("relu")
    .build(),
  "conv1d, dilated": make([1, 31, 3], 3)
    .conv(4, { kernel: [1, 3], dilation: [1, 4] })
    .plain("tanh")
    .build(),
  "conv2d, strided and padded": make([13, 9, 3], 4)
    .conv(6, { kernel: [3, 5], stride: [2, 1], padding: [1, 2, 1, 2] })
    .plain("relu6")
    .build(),
  depthwise: make([11, 8, 5], 5)
    .depthwise({ kernel: [3, 3], stride: [2, 1], padding: [1, 1, 1, 1] })
    .plain("relu6")
    .build(),
  "max pool, padded": make([9, 10, 4], 6)
    .pool("max-pool", { kernel: [3, 2], stride: [2, 2], padding: [1, 0, 1, 1] })
    .build(),
  "average pool, padded": make([9, 10, 4], 7)
    .pool("average-pool", { kernel: [3, 2], stride: [2, 2], padding: [1, 0, 1, 1] })
    .build(),
  "batch norm of images, folded and not": make([5, 6, 3], 8)
    .batchNorm()
    .conv(4, { kernel: [3, 3] })
    .batchNorm()
    .plain("relu")
    .build(),
  "batch norm of vectors": make([12], 9).dense(9).batchNorm().plain("sigmoid").batchNorm().build(),
  "reshapes both ways": make([4, 3, 2], 10)
    .reshape([24])
    .dense(30)
    .reshape([5, 3, 2])
    .conv(3, { kernel: [2, 2] })
    .reshape([8, 3, 1])
    .build(),
  "softmax of images": make([3, 4, 5], 11).plain("softmax").build(),
  "residual blocks": residual(residual(make([1, 40, 6], 12), 8), 12)
    .plain("global-average-pool")
    .dense(4)
    .plain("softmax")
    .build(),
  "depthwise separable": make([12, 7, 1], 13)
    .conv(9, { kernel: [5, 3], stride: [2, 2], padding: [2, 1, 2, 1] })
    .batchNorm()
    .plain("relu")
    .depthwise({ kernel: [3, 3], padding: [1, 1, 1, 1] })
    .batchNorm()
    .plain("relu")
    .conv(11, { kernel: [1, 1] })
    .batchNorm()
    .plain("relu")
    .plain("global-average-pool")
    .dense(4)
    .plain("softmax")
    .build(),
  "gru, its last state": make([1, 9, 5], 15).gru(7, "last").dense(3).plain("softmax").build(),
  "gru of a gru, all its states": make([1, 12, 3], 16)
    .gru(6, "all")
    .gru(5, "all")
    .conv(4, { kernel: [1, 3] })
    .plain("sigmoid")
    .build(),
  autoencoder: make([1, 6, 4], 14)
    .reshape([24])
    .dense(10)
    .plain("relu")
    .dense(3)
    .plain("tanh")
    .dense(24)
    .reshape([1, 6, 4])
    .build(),
};
