import { tapPositions, unfoldingOf } from "../network/layers/unfolding.ts";
import { ModelError } from "../network/model-error.ts";
import type { Network } from "../network/network.ts";
import type { Quantisation } from "../quantisation.ts";
import { type Shape, sizeOf } from "../tensor.ts";
import { rawValues } from "./constants.ts";
import { fixedFactor, within } from "./fixed-point.ts";
import {
  addShift,
  type IntegerWeights,
  integerAdd,
  integerAveragePool,
  integerConv,
  integerMaxPool,
  integerMean,
  integerSoftmax,
  integerTable,
  type OutputCodes,
  requantise,
} from "./integer-layers.ts";
import {
  convFields,
  depthMultiplierField,
  depthwiseFields,
  type FusedActivation,
  OperatorReader,
  poolFields,
  poolKernelField,
  type WindowFields,
} from "./operator-reader.ts";
import { quantisationOf } from "./quantisation-of.ts";
import type { TfliteFile, TfliteTensor } from "./schema.ts";

type Step = () => void;
type Make = (o: OperatorReader, x: Int8Array, y: Int8Array, others: readonly Int8Array[]) => Step;

const operators: Readonly<Record<string, Make>> = {
  ADD: (o, x, y, [second]) => {
    const [a, b, out] = [int8Of(o.value(0)), int8Of(o.value(1)), int8Of(o.output)];
    const twice = 2 * Math.max(a.scale, b.scale);
    const operands = [a, b].map(({ scale, zeroPoint }) => ({ zeroPoint, factor: fixedFactor(scale / twice) }));
    const factor = fixedFactor(twice / (2 ** addShift * out.scale));
    const range = outputCodes(o, o.activation(0));
    if (second?.length !== x.length) o.fail(`two inputs of ${x.length} numbers`, second?.length ?? "one");
    return () => integerAdd([x, second!], y, operands as [never, never], factor, range);
  },
  AVERAGE_POOL_2D: (o, x, y) => {
    const [unfolding, range] = poolOf(o);
    return () => integerAveragePool(x, y, unfolding, range);
  },
  CONV_2D: (o, x, y) => {
    const weights = o.constant(1);
    const [, height = 0, width = 0] = weights.shape;
    return convolution(o, x, y, [height, width], convFields, Int8Array.from(rawValues(weights)), "all");
  },
  DEPTHWISE_CONV_2D: (o, x, y) => {
    const weights = o.constant(1);
    const [, height = 0, width = 0, outputs = 0] = weights.shape;
    const channels = o.image(o.value(0))[2];
    const multiplier = o.options.int32(depthMultiplierField, 1);
    if (outputs !== channels * multiplier) o.fail(`${channels * multiplier} kernels`, outputs);
    const codes = rawValues(weights); // [taps × outputs]
    const taps = height * width;
    const placed = Int8Array.from(codes, (_, i) => codes[(i % taps) * outputs + Math.floor(i / taps)]!);
    return convolution(o, x, y, [height, width], depthwiseFields, placed, "own");
  },
  EXPAND_DIMS: copy,
  FULLY_CONNECTED: (o, x, y) => {
    const [outputs = 0, inputs = 0] = o.constant(1).shape;
    const rows = y.length / outputs;
    if (rows * inputs !== x.length) o.fail(`weights for ${x.length / rows} inputs`, inputs);
    const weighted = weightsOf(o, Int8Array.from(rawValues(o.constant(1))), o.activation(0));
    const places = Int32Array.from({ length: rows }, (_, i) => i);
    return () => integerConv(x, y, weighted, places, { channels: inputs, each: "all" });
  },
  LOGISTIC: (o, x, y) => table(o, x, y, (real) => 1 / (1 + Math.exp(-real))),
  MAX_POOL_2D: (o, x, y) => {
    const [unfolding, range] = poolOf(o);
    return () => integerMaxPool(x, y, unfolding, range);
  },
  MEAN: (o, x, y) => {
    const [input, out] = [int8Of(o.value(0)), int8Of(o.output)];
    const factor = fixedFactor(input.scale / (out.scale * (x.length / y.length)));
    const range = outputCodes(o, "none");
    return () => integerMean(x, y, input.zeroPoint, factor, range);
  },
  PAD: (o, x, y) => {
    const { zeroPoint } = int8Of(o.value(0));
    const [height, width, channels] = o.image(o.value(0));
    const [top = 0, , left = 0] = o.integers(1).slice(2);
    const outer = o.image(o.output)[1];
    return () => {
      y.fill(zeroPoint);
      for (let h = 0; h < height; h++) {
        const row = x.subarray(h * width * channels, (h + 1) * width * channels);
        y.set(row, ((top + h) * outer + left) * channels);
      }
    };
  },
  QUANTIZE: (o, x, y) => {
    const [input, out] = [int8Of(o.value(0)), int8Of(o.output)];
    const [factor, range] = [fixedFactor(input.scale / out.scale), outputCodes(o, "none")];
    return () => requantise(x, y, input.zeroPoint, factor, range);
  },
  RELU: (o, x, y) => table(o, x, y, (real) => Math.max(0, real)),
  RELU6: (o, x, y) => table(o, x, y, (real) => within(real, 0, 6)),
  RESHAPE: copy,
  SOFTMAX: (o, x, y) => {
    const [input, out] = [int8Of(o.value(0)), int8Of(o.output)];
    const scale = input.scale * o.options.float(0);
    const channels = o.output.shape.at(-1)!;
    const range = outputCodes(o, "none");
    return () => integerSoftmax(x, y, channels, scale, out.scale, range);
  },
  SQUEEZE: copy,
  TANH: (o, x, y) => table(o, x, y, Math.tanh),
};

/**
 * A TFLite file of int8 run in its own arithmetic: codes with zero points, sums of int32, one fixed-point factor an output
 * channel, rounded as TFLite rounds. Float borders (`QUANTIZE` of floats first, `DEQUANTIZE` last) are
 * done in doubles; `infer` takes and gives reals, `run` codes.
 */
export class IntegerNetwork implements Network {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** How codes of the input and of the output stand for reals. */
  readonly input: Quantisation;
  readonly output: Quantisation;
  readonly #steps: readonly Step[];
  readonly #first: Int8Array;
  readonly #last: Int8Array;

  /** @throws ModelError for operators that are not ours or values that are not int8 */
  constructor(file: TfliteFile) {
    const buffers = new Map<number, Int8Array>();
    const take = (tensor: TfliteTensor): Int8Array => {
      const known = buffers.get(tensor.index) ?? new Int8Array(sizeOf(tensor.shape));
      buffers.set(tensor.index, known);
      return known;
    };
    const [first, last] = borders(file);
    this.inputShape = first.shape.slice(1);
    this.outputShape = last.shape.slice(1);
    this.input = int8Of(first);
    this.output = int8Of(last);
    this.#first = take(first);
    this.#steps = file.operators.flatMap((operator) => {
      const o = new OperatorReader(file, operator);
      const isBorder = [...operator.inputs, ...operator.outputs].some((i) => file.tensors[i]?.type === "float32");
      if (isBorder && (operator.name === "QUANTIZE" || operator.name === "DEQUANTIZE")) return [];
      const make = operators[operator.name];
      if (!make) {
        o.fail(`one of ${Object.keys(operators).join(", ")} in integers`, operator.name);
      }
      const others = operator.inputs.slice(1).flatMap((i) => {
        const tensor = file.tensors[i];
        return tensor && !tensor.bytes ? [take(tensor)] : [];
      });
      return [make!(o, take(o.value(0)), take(o.output), others)];
    });
    this.#last = take(last);
  }

  /** Codes in, codes out: the batch's one sample. @throws RangeError when a length does not fit */
  run(codes: Int8Array, out: Int8Array): void {
    if (codes.length !== this.#first.length || out.length !== this.#last.length) {
      const wanted = `${this.#first.length} codes in and ${this.#last.length} out`;
      throw new RangeError(`codes: expected ${wanted}, got ${codes.length} and ${out.length}`);
    }
    this.#first.set(codes);
    for (const step of this.#steps) step();
    out.set(this.#last);
  }

  infer(input: Float32Array, output: Float32Array): void {
    const codes = Int8Array.from(input, (x) =>
      within(Math.round(x / this.input.scale) + this.input.zeroPoint, -128, 127),
    );
    const out = new Int8Array(output.length);
    this.run(codes, out);
    for (let i = 0; i < out.length; i++) output[i] = this.output.scale * (out[i]! - this.output.zeroPoint);
  }
}

/** The first and the last tensor of codes. */
const borders = (file: TfliteFile): readonly [TfliteTensor, TfliteTensor] => {
  const [input, output] = [file.tensors[file.inputs[0] ?? -1], file.tensors[file.outputs[0] ?? -1]];
  if (!input || !output) throw new ModelError("model: expected one input and one output, got none");
  const quantised = file.operators.find(({ name, inputs }) => name === "QUANTIZE" && inputs[0] === input.index);
  const given = file.operators.find(({ name, outputs }) => name === "DEQUANTIZE" && outputs[0] === output.index);
  return [
    input.type === "float32" ? (file.tensors[quantised?.outputs[0] ?? -1] ?? input) : input,
    output.type === "float32" ? (file.tensors[given?.inputs[0] ?? -1] ?? output) : output,
  ];
};

const int8Of = (tensor: TfliteTensor): Quantisation => {
  const found = quantisationOf(tensor);
  if (found) return found;
  throw new ModelError(`tensor ${tensor.name}: expected int8 with a scale, got ${tensor.type}`);
};

/** All codes, or those that an activation leaves. */
const outputCodes = (o: OperatorReader, activation: FusedActivation): OutputCodes => {
  const { scale, zeroPoint } = int8Of(o.output);
  const codeOf = (real: number): number => within(zeroPoint + Math.round(real / scale), -128, 127);
  const ranges: Partial<Record<FusedActivation, readonly [number, number]>> = {
    none: [-128, 127],
    relu: [codeOf(0), 127],
    relu6: [codeOf(0), codeOf(6)],
    "relu-n1-to-1": [codeOf(-1), codeOf(1)],
  };
  const [low, high] = ranges[activation] ?? o.fail("a fused relu or relu6", activation);
  return { zeroPoint, low, high };
};

/** Weights, bias and factors of a layer; the weights are given in the order of the kernels. */
const weightsOf = (o: OperatorReader, weights: Int8Array, then: FusedActivation): IntegerWeights => {
  const tensor = o.constant(1);
  const [input, out] = [int8Of(o.value(0)), int8Of(o.output)];
  const outputs = o.output.shape.at(-1)!;
  if (tensor.type !== "int8" || tensor.zeroPoints.some((zero) => zero !== 0)) {
    o.fail(
      "weights of int8 with zero point 0",
      `${tensor.type} with ${tensor.zeroPoints.find((zero) => zero !== 0) ?? 0}`,
    );
  }
  if (tensor.scales.length !== 1 && tensor.scales.length !== outputs)
    o.fail(`1 or ${outputs} scales`, tensor.scales.length);
  const bias = o.optionalConstant(2);
  const biases = bias ? Int32Array.from(rawValues(bias)) : new Int32Array(outputs);
  if (biases.length !== outputs) o.fail(`${outputs} biases`, biases.length);
  const factors = Array.from({ length: outputs }, (_, c) => {
    const scale = tensor.scales[tensor.scales.length === 1 ? 0 : c]!;
    return fixedFactor((input.scale * scale) / out.scale);
  });
  return { weights, bias: biases, factors, inputZeroPoint: input.zeroPoint, output: outputCodes(o, then) };
};

const convolution = (
  o: OperatorReader,
  x: Int8Array,
  y: Int8Array,
  kernel: readonly [number, number],
  fields: WindowFields,
  weights: Int8Array,
  each: "all" | "own",
): Step => {
  const shape = o.image(o.value(0));
  const window = o.window(kernel, fields);
  const places = tapPositions(unfoldingOf(window, shape, o.image(o.output), 0, 1));
  const weighted = weightsOf(o, weights, o.activation(fields.activation));
  return () => integerConv(x, y, weighted, places, { channels: shape[2], each });
};

const poolOf = (o: OperatorReader) => {
  const kernel = [o.options.int32(poolKernelField + 1), o.options.int32(poolKernelField)] as const;
  const shape = o.image(o.value(0));
  const unfolding = unfoldingOf(o.window(kernel, poolFields), shape, o.image(o.output), 0, shape[2]);
  const [input, out] = [int8Of(o.value(0)), int8Of(o.output)];
  if (input.scale !== out.scale || input.zeroPoint !== out.zeroPoint)
    o.fail("one scale before and after a pool", "two");
  return [unfolding, outputCodes(o, o.activation(poolFields.activation))] as const;
};

const table = (o: OperatorReader, x: Int8Array, y: Int8Array, f: (real: number) => number): Step => {
  const [input, out] = [int8Of(o.value(0)), int8Of(o.output)];
  const values = Int8Array.from({ length: 256 }, (_, i) => {
    const real = f(input.scale * (i - 128 - input.zeroPoint));
    return within(Math.round(real / out.scale) + out.zeroPoint, -128, 127);
  });
  return () => integerTable(x, y, values);
};

function copy(o: OperatorReader, x: Int8Array, y: Int8Array): Step {
  if (x.length !== y.length) o.fail(`${x.length} numbers under another shape`, y.length);
  return () => y.set(x);
}
