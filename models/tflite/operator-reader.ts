import { type Window, windowOutput } from "../network/layers/window.ts";
import { ModelError } from "../network/model-error.ts";
import { sameShape, showShape } from "../network/shapes.ts";
import type { Shape } from "../tensor.ts";
import { rawValues } from "./constants.ts";
import type { OperatorOptions, TfliteFile, TfliteOperator, TfliteTensor } from "./schema.ts";

/** `ActivationFunctionType` of the schema: what an operator does to its own result. */
const activations = ["none", "relu", "relu-n1-to-1", "relu6", "tanh", "sign-bit"] as const;
export type FusedActivation = (typeof activations)[number];

/** Where each kind of windowed operator has its numbers. */
export interface WindowFields {
  /** Of the activation. */
  readonly activation: number;
  /** Of the dilation along width; height is the next. Left out: 1. */
  readonly dilation?: number;
}

/** One operator of a file with what it takes. Its methods throw ModelErrors that name the operator. */
export class OperatorReader {
  readonly file: TfliteFile;
  readonly operator: TfliteOperator;
  readonly name: string;
  readonly options: OperatorOptions;

  constructor(file: TfliteFile, operator: TfliteOperator) {
    this.file = file;
    this.operator = operator;
    this.options = operator.options;
    this.name = `${operator.name.toLowerCase().replaceAll("_", "-")}-${operator.index}`;
  }

  fail(expected: string, got: string | number): never {
    const { index, name } = this.operator;
    throw new ModelError(`operator ${index} (${name}): expected ${expected}, got ${got}`);
  }

  /** The tensor of an input, constant or not. */
  tensor(position: number): TfliteTensor {
    const index = this.operator.inputs[position] ?? -1;
    return this.file.tensors[index] ?? this.fail(`an input ${position}`, "none");
  }
  /** An input that is computed. */
  value(position: number): TfliteTensor {
    const tensor = this.tensor(position);
    return tensor.bytes ? this.fail(`input ${position} to be computed`, `constant ${tensor.name}`) : tensor;
  }
  /** An input that must be a constant. */
  constant(position: number): TfliteTensor {
    const tensor = this.tensor(position);
    return tensor.bytes ? tensor : this.fail(`input ${position} to be a constant`, `computed ${tensor.name}`);
  }
  /** The same where it may be left out, as a bias is. */
  optionalConstant(position: number): TfliteTensor | undefined {
    return (this.operator.inputs[position] ?? -1) < 0 ? undefined : this.constant(position);
  }
  integers(position: number): readonly number[] {
    return Array.from(rawValues(this.constant(position)));
  }
  get output(): TfliteTensor {
    const tensor = this.file.tensors[this.operator.outputs[0] ?? -1];
    return tensor && this.operator.outputs.length === 1
      ? tensor
      : this.fail("one output", this.operator.outputs.length);
  }

  activation(field: number): FusedActivation {
    const code = this.options.byte(field);
    return activations[code] ?? this.fail("a known fused activation", code);
  }

  /** The shape of a value in our graph: without its batch of one; a signal `[width, channels]` has height 1. */
  shape({ shape, name }: TfliteTensor): Shape {
    if (shape.length < 2 || shape.length > 4 || shape[0] !== 1)
      return this.fail("tensors [1, …] of 2 to 4 axes", `${name} ${showShape(shape)}`);
    return shape.length === 3 ? [1, shape[1]!, shape[2]!] : shape.slice(1);
  }
  image(tensor: TfliteTensor): readonly [number, number, number] {
    const shape = this.shape(tensor);
    if (shape.length !== 3)
      return this.fail("an image [1, height, width, channels]", `${tensor.name} ${showShape(tensor.shape)}`);
    return shape as unknown as readonly [number, number, number];
  }

  /** Kernel, steps and border of a convolution or a pool over its first input; the output must fit. */
  window(kernel: readonly [number, number], { dilation: at }: WindowFields): Window {
    const { options } = this;
    const input = this.image(this.value(0));
    const stride = [options.int32(2, 1), options.int32(1, 1)] as const;
    const dilation = at === undefined ? ([1, 1] as const) : ([options.int32(at + 1, 1), options.int32(at, 1)] as const);
    if ([...kernel, ...stride, ...dilation].some((n) => n < 1))
      return this.fail("a kernel, strides and dilations > 0", [...kernel, ...stride, ...dilation].join(", "));
    const border = [0, 1].map((axis) => {
      if (options.byte(0) === 1) return [0, 0] as const; // VALID
      const steps = Math.ceil(input[axis]! / stride[axis]!) - 1;
      const total = Math.max(0, steps * stride[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1 - input[axis]!);
      return [Math.floor(total / 2), total - Math.floor(total / 2)] as const;
    }) as [readonly [number, number], readonly [number, number]];
    const [[top, bottom], [left, right]] = border;
    const window: Window = { kernel, stride, dilation, padding: [top, left, bottom, right] };
    const places = windowOutput(input[0], input[1], window);
    const given = this.image(this.output).slice(0, 2);
    return sameShape(places, given) ? window : this.fail(`an output of ${showShape(places)}`, showShape(given));
  }
}

/** Numbers of a convolution. */
export const convFields: WindowFields = { activation: 3, dilation: 4 };
export const depthwiseFields: WindowFields = { activation: 4, dilation: 5 };
export const poolFields: WindowFields = { activation: 5 };
/** Where a depthwise convolution has how many outputs a channel gives. */
export const depthMultiplierField = 3;
/** Where a pool has its kernel along width; height is the next. */
export const poolKernelField = 3;
