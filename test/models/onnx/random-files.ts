import { encodeModel, type OnnxAttribute, type OnnxNode, type OnnxTensor } from "../../../models/onnx/schema.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { sizeOf } from "../../../models/tensor.ts";

/** What a random file is made of: shrinks to fewer operators. */
export interface FilePlan {
  /** The framework whose habits it has. */
  readonly style: "image" | "signal" | "keras image" | "steps" | "features";
  readonly operators: readonly number[];
  readonly opset: number;
  readonly seed: number;
}

export interface RandomFile {
  readonly bytes: Uint8Array;
  /** Behind the batch, as the file has it. */
  readonly inputDims: readonly number[];
  readonly outputDims: readonly number[];
  readonly operators: readonly string[];
}

type Attributes = Readonly<Record<string, number | readonly number[] | string | { readonly float: number }>>;

/** An ONNX file as PyTorch and Keras export them, of random operators that fit one after the other. */
export const randomFile = (plan: FilePlan): RandomFile => new FileMaker(plan).make();

class FileMaker {
  readonly #plan: FilePlan;
  readonly #random: SequentialRandom;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxTensor[] = [];
  readonly #used: string[] = [];
  #value = "x";
  #dims: number[];
  /** Where the channels are in `#dims`: first, last, or there is one axis alone. */
  #layout: "first" | "last" | "vector";
  /** Whether the features lie in the order of a flattened image, which a dense layer alone undoes. */
  #flat = false;
  #count = 0;

  constructor(plan: FilePlan) {
    this.#plan = plan;
    this.#random = new SequentialRandom(plan.seed);
    const pick = (low: number, high: number) => low + this.#random.integer(high - low + 1);
    const channels = pick(1, 3); // fewer than the other axes have, so that shapes tell the order
    const [height, width] = [pick(4, 9), pick(4, 11)];
    const dims = {
      image: [channels, height, width],
      signal: [channels, width + 8],
      "keras image": [height, width, channels],
      steps: [width, channels + 1],
      features: [pick(2, 12)],
    };
    this.#dims = dims[plan.style];
    const layouts = {
      image: "first",
      signal: "first",
      "keras image": "last",
      steps: "last",
      features: "vector",
    } as const;
    this.#layout = layouts[plan.style];
  }

  make(): RandomFile {
    const inputDims = [...this.#dims];
    if (this.#plan.style === "keras image") this.#transpose();
    if (this.#plan.style === "signal") this.#conv(); // else nothing says which of its two axes is time
    for (const choice of this.#plan.operators) {
      const possible = this.#possible();
      possible[choice % possible.length]!();
    }
    if (this.#flat) this.#gemm();
    const moves = ["Identity", "Cast", "Transpose", "Flatten", "Reshape", "Shape", "Gather", "Unsqueeze", "Concat"];
    if (this.#used.every((type) => moves.includes(type))) this.#relu(); // a graph must compute something
    const outputDims = this.#dims;
    const info = (name: string, dims: readonly number[]) => ({
      name,
      type: {
        tensorType: { elemType: 1, shape: { dim: [{ dimParam: "batch" }, ...dims.map((dimValue) => ({ dimValue }))] } },
      },
    });
    // The result under a name of its own, as exporters have it.
    this.#nodes.push({ opType: "Identity", name: "last", input: [this.#value], output: ["y"], attribute: [] });
    return {
      bytes: encodeModel({
        irVersion: 8,
        opsetImport: [{ domain: "", version: this.#plan.opset }],
        graph: {
          name: "random",
          node: this.#nodes,
          initializer: this.#initializers,
          input: [info("x", inputDims)],
          output: [info("y", outputDims)],
        },
      }),
      inputDims,
      outputDims,
      operators: this.#used,
    };
  }

  #possible(): (() => void)[] {
    const anywhere = [
      () => this.#relu(),
      () => this.#put("LeakyRelu", [], { alpha: { float: 0.1 } }),
      () => this.#put("Clip", [this.#scalar(-0.4), this.#scalar(0.7)]),
      () => this.#put("Sigmoid"),
      () => this.#put("Tanh"),
      () => this.#put("Identity"),
      () => this.#put("Cast", [], { to: 1 }),
      () => this.#arithmetic(),
    ];
    if (this.#layout === "vector") {
      return [
        ...anywhere,
        () => this.#gemm(),
        () => this.#gemm(),
        () => this.#matMul(),
        () => this.#batchNorm(),
        () => this.#put("Softmax", [], { axis: this.#random.integer(2) ? 1 : -1 }),
        () => this.#concat(),
      ];
    }
    if (this.#layout === "last") {
      const turn =
        this.#dims.length === 3 ? [() => this.#transpose()] : [() => this.#transpose(), () => this.#matMul()];
      return [...anywhere, ...turn, () => this.#pad(), () => this.#mean(), () => this.#flatten(), () => this.#concat()];
    }
    return [
      ...anywhere,
      () => this.#conv(),
      () => this.#conv(),
      () => this.#residual(),
      () => this.#batchNorm(),
      () => this.#pool("MaxPool"),
      () => this.#pool("AveragePool"),
      () => this.#pad(),
      () => this.#mean(),
      () => this.#global("GlobalAveragePool"),
      () => this.#global("GlobalMaxPool"),
      () => this.#flatten(),
      () => this.#view(),
      () => this.#concat(),
      () => this.#transpose(),
    ];
  }

  get #channels(): number {
    return this.#layout === "last" ? this.#dims.at(-1)! : this.#dims[0]!;
  }
  get #spatial(): number[] {
    return this.#layout === "last" ? this.#dims.slice(0, -1) : this.#dims.slice(1);
  }
  #pick(low: number, high: number): number {
    return low + this.#random.integer(high - low + 1);
  }

  /** A constant, now as an initialiser and now as a node. */
  #constant(tensor: OnnxTensor): string {
    const name = `c${this.#count++}`;
    if (this.#random.integer(3) > 0) this.#initializers.push({ ...tensor, name });
    else
      this.#nodes.push({
        opType: "Constant",
        name: `/${name}`,
        input: [],
        output: [name],
        attribute: [{ name: "value", t: tensor, type: 4 }],
      });
    return name;
  }
  #floats(dims: readonly number[], f: () => number = () => this.#random.gaussian() / 2): string {
    const floatData = Array.from({ length: sizeOf(dims) }, f);
    return this.#constant({ dims: [...dims], dataType: 1, floatData });
  }
  #scalar(value: number): string {
    return this.#constant({ dims: [], dataType: 1, floatData: [value] });
  }
  #ints(values: readonly number[], dims = [values.length]): string {
    return this.#constant({ dims, dataType: 7, int64Data: [...values] });
  }

  /** A node whose first input is the value so far, and its result the value from then on. */
  #put(
    opType: string,
    others: readonly string[] = [],
    attributes: Attributes = {},
    first: readonly string[] = [this.#value],
  ): string {
    const output = `v${this.#count++}`;
    const attribute = Object.entries(attributes).map(([name, value]): OnnxAttribute => {
      if (typeof value === "number") return { name, i: value, type: 2 };
      if (typeof value === "string") return { name, s: new TextEncoder().encode(value), type: 3 };
      return "float" in value ? { name, f: value.float, type: 1 } : { name, ints: [...value], type: 7 };
    });
    this.#nodes.push({ opType, name: `/${output}`, input: [...first, ...others], output: [output], attribute });
    this.#used.push(opType);
    this.#value = output;
    return output;
  }

  #relu(): void {
    this.#put("Relu");
  }
  #arithmetic(): void {
    const type = ["Add", "Sub", "Mul", "Div"][this.#random.integer(4)]!;
    const shapes = {
      first: [this.#channels, ...this.#spatial.map(() => 1)],
      last: [this.#channels],
      vector: this.#dims,
    };
    const dims = this.#random.integer(3) ? shapes[this.#layout] : [];
    const constant = this.#floats(dims, () => (this.#random.integer(2) ? 1 : -1) * (0.5 + this.#random.uniform()));
    if (type !== "Div" && this.#random.integer(3) === 0) this.#put(type, [this.#value], {}, [constant]);
    else this.#put(type, [constant]);
  }
  #gemm(): void {
    const outputs = this.#pick(1, 7);
    const transB = this.#random.integer(2);
    const inputs = this.#dims[0]!;
    const weights = this.#floats(
      transB ? [outputs, inputs] : [inputs, outputs],
      () => this.#random.gaussian() / Math.sqrt(inputs),
    );
    const attributes = { transB, alpha: { float: 0.8 }, beta: { float: 0.5 } };
    this.#flat = false;
    this.#put("Gemm", [weights, this.#floats([outputs])], attributes);
    this.#dims = [outputs];
  }
  #matMul(): void {
    const [inputs, outputs] = [this.#dims.at(-1)!, this.#pick(1, 6)];
    this.#flat = false;
    this.#put("MatMul", [this.#floats([inputs, outputs], () => this.#random.gaussian() / Math.sqrt(inputs))]);
    this.#dims = [...this.#dims.slice(0, -1), outputs];
    if (this.#random.integer(2)) this.#put("Add", [this.#floats([outputs])]);
  }
  #batchNorm(): void {
    const c = [this.#channels];
    const variance = () => this.#floats(c, () => 0.5 + this.#random.uniform());
    this.#put("BatchNormalization", [this.#floats(c), this.#floats(c), this.#floats(c), variance()], {
      epsilon: { float: 1e-3 },
    });
  }

  /** A window that fits, along each axis. */
  #window(mayDilate: boolean): {
    attributes: Record<string, number | number[] | string>;
    sizes: number[];
    kernel: number[];
  } {
    const isSame = mayDilate && this.#random.integer(4) === 0; // which onnxruntime has without dilation alone
    const axes = this.#spatial.map((size) => {
      const kernel = this.#pick(1, Math.min(3, size));
      const dilation = mayDilate && !isSame && kernel > 1 && 2 * (kernel - 1) + 1 <= size ? this.#pick(1, 2) : 1;
      const [begin, end] = [this.#pick(0, kernel - 1), this.#pick(0, kernel - 1)];
      const stride = this.#pick(1, 2);
      return { size, kernel, dilation, begin, end, stride };
    });
    const sizes = axes.map(({ size, kernel, dilation, begin, end, stride }) =>
      isSame ? Math.ceil(size / stride) : Math.floor((size + begin + end - dilation * (kernel - 1) - 1) / stride) + 1,
    );
    const kernel = axes.map((a) => a.kernel);
    const attributes = {
      kernel_shape: kernel,
      strides: axes.map((a) => a.stride),
      ...(mayDilate && { dilations: axes.map((a) => a.dilation) }),
      ...(isSame
        ? { auto_pad: this.#random.integer(2) ? "SAME_UPPER" : "SAME_LOWER" }
        : { pads: [...axes.map((a) => a.begin), ...axes.map((a) => a.end)] }),
    };
    return { attributes, sizes, kernel };
  }
  #conv(): void {
    const { attributes, sizes, kernel } = this.#window(true);
    const channels = this.#channels;
    const groups = [1, 1, channels, channels % 2 === 0 ? 2 : 1][this.#random.integer(4)]!;
    const outputs = groups * this.#pick(1, groups === 1 ? 6 : 2);
    const shape = [outputs, channels / groups, ...kernel];
    const weights = this.#floats(shape, () => this.#random.gaussian() / Math.sqrt(sizeOf(shape) / outputs));
    const bias = this.#random.integer(2) ? [this.#floats([outputs])] : [];
    this.#put("Conv", [weights, ...bias], { ...attributes, group: groups });
    this.#dims = [outputs, ...sizes];
  }
  #residual(): void {
    const [before, channels, ones] = [this.#value, this.#channels, this.#spatial.map(() => 1)];
    const kernel = this.#spatial.map(() => 3);
    const weights = this.#floats([channels, channels, ...kernel], () => this.#random.gaussian() / 6);
    this.#put("Conv", [weights], { kernel_shape: kernel, pads: [...ones, ...ones] });
    this.#put("Add", [before]);
  }
  #pool(type: "MaxPool" | "AveragePool"): void {
    const { attributes, sizes } = this.#window(false);
    this.#put(
      type,
      [],
      type === "MaxPool" ? attributes : { ...attributes, count_include_pad: this.#random.integer(2) },
    );
    this.#dims = [this.#channels, ...sizes];
  }
  #pad(): void {
    const border = this.#spatial.map(() => [this.#pick(0, 2), this.#pick(0, 2)] as const);
    const none = [0, 0] as const;
    const all = this.#layout === "first" ? [none, none, ...border] : [none, ...border, none];
    const pads = [...all.map(([begin]) => begin), ...all.map(([, end]) => end)];
    this.#put("Pad", [this.#ints(pads), this.#scalar(this.#random.integer(2))]);
    const sizes = this.#spatial.map((n, i) => n + border[i]![0] + border[i]![1]);
    this.#dims = this.#layout === "first" ? [this.#channels, ...sizes] : [...sizes, this.#channels];
  }
  #mean(): void {
    const first = this.#layout === "first" ? 2 : 1;
    const axes = this.#spatial.map((_, i) => i + first);
    const keepdims = this.#random.integer(2);
    const channels = this.#channels;
    if (this.#plan.opset >= 18) this.#put("ReduceMean", [this.#ints(axes)], { keepdims });
    else this.#put("ReduceMean", [], { axes, keepdims });
    const ones = this.#spatial.map(() => 1);
    this.#dims = !keepdims ? [channels] : this.#layout === "first" ? [channels, ...ones] : [...ones, channels];
    if (!keepdims) this.#layout = "vector";
  }
  #global(type: string): void {
    this.#put(type);
    this.#dims = [this.#channels, ...this.#spatial.map(() => 1)];
    const axes = this.#spatial.map((_, i) => i + 2);
    if (this.#random.integer(2)) return;
    if (this.#plan.opset >= 13) this.#put("Squeeze", [this.#ints(axes)]);
    else this.#put("Squeeze", [], { axes });
    this.#dims = [this.#channels];
    this.#layout = "vector";
  }
  #flatten(): void {
    if (this.#random.integer(2)) this.#put("Flatten", [], { axis: 1 });
    else this.#put("Reshape", [this.#ints([this.#random.integer(2) ? 0 : -1, sizeOf(this.#dims)])]);
    this.#dims = [sizeOf(this.#dims)];
    this.#layout = "vector";
    this.#flat = true;
  }
  /** `x.view(x.size(0), -1)` as PyTorch writes it. */
  #view(): void {
    const x = this.#value;
    this.#put("Shape", [], {}, [x]);
    const size = this.#put("Gather", [this.#ints([0], [])], { axis: 0 });
    const batch =
      this.#plan.opset >= 13
        ? this.#put("Unsqueeze", [this.#ints([0])], {}, [size])
        : this.#put("Unsqueeze", [], { axes: [0] }, [size]);
    const shape = this.#put("Concat", [this.#ints([-1])], { axis: 0 }, [batch]);
    this.#put("Reshape", [shape], {}, [x]);
    this.#dims = [sizeOf(this.#dims)];
    this.#layout = "vector";
    this.#flat = true;
  }
  #concat(): void {
    if (this.#flat) this.#gemm();
    const before = this.#value;
    const activated = this.#put("Tanh");
    const axis = this.#layout === "last" ? this.#dims.length : 1;
    this.#put("Concat", [activated], { axis }, [before]);
    this.#dims = this.#dims.map((n, i) => (i === axis - 1 ? 2 * n : n));
  }
  #transpose(): void {
    const rank = this.#dims.length;
    const turn =
      this.#layout === "first"
        ? [...Array(rank - 1).keys()].map((i) => i + 1).concat(0)
        : [rank - 1, ...Array(rank - 1).keys()];
    this.#put("Transpose", [], { perm: [0, ...turn.map((axis) => axis + 1)] });
    this.#dims = turn.map((axis) => this.#dims[axis]!);
    this.#layout = this.#layout === "first" ? "last" : "first";
  }
}
