import { DigitalNetwork } from "../network/digital.ts";
import { softmax } from "../network/layers/activation.ts";
import { readOnnx } from "../onnx/read.ts";
import { sizeOf } from "../tensor.ts";

/** A digital network whose answers are trained towards, beside the labels. */
export interface DistillationOptions {
  /** The teacher, an ONNX file that takes what the net takes and gives as many classes. */
  readonly teacher: Uint8Array;
  /** Its part of the loss, 0 … 1. */
  readonly weight: number;
  /** > 0; left out: 1. */
  readonly temperature?: number;
}

/** Runs a teacher sample by sample. */
export class Teacher {
  readonly #network: DigitalNetwork;
  readonly #endsInSoftmax: boolean;
  readonly #input: Float32Array;
  readonly #output: Float32Array;

  /** @throws ModelError as `readOnnx`; RangeError when it takes or gives other numbers than the net that it teaches */
  constructor(bytes: Uint8Array, inputs: number, classes: number) {
    const graph = readOnnx(bytes);
    const [takes, gives] = [sizeOf(graph.input.shape), sizeOf(graph.output.shape)];
    if (takes !== inputs || gives !== classes) {
      throw new RangeError(
        `distillation.teacher: expected one from ${inputs} numbers to ${classes} classes, got ${takes} to ${gives}`,
      );
    }
    this.#network = new DigitalNetwork(graph);
    this.#endsInSoftmax = graph.nodes.at(-1)?.kind === "softmax";
    this.#input = new Float32Array(inputs);
    this.#output = new Float32Array(classes);
  }

  /** Write the probabilities of `count` samples `[count × inputs]` to `[count × classes]`. */
  answerInto(samples: Float32Array, count: number, probabilities: Float32Array): void {
    const [inputs, classes] = [this.#input.length, this.#output.length];
    for (let b = 0; b < count; b++) {
      this.#input.set(samples.subarray(b * inputs, (b + 1) * inputs));
      this.#network.infer(this.#input, this.#output);
      if (!this.#endsInSoftmax) softmax(this.#output, this.#output, classes);
      probabilities.set(this.#output, b * classes);
    }
  }
}
