import type { Manifest } from "../../models/manifest.ts";
import type { AnswerNoise } from "../../models/model.ts";
import type { AnalogNetwork, NetworkImage } from "../../models/network/analog.ts";
import type { Network } from "../../models/network/network.ts";
import type { Shape } from "../../models/tensor.ts";
import { scoreMargin } from "../../pipelines/operators/ask.ts";
import type { Knowledge } from "./living-chip.ts";

/** Margins and inputs kept for upkeep between two ticks, at most. */
const mostMargins = 512;
const mostInputs = 4;
/** Of the inputs one in so many is kept, so that they are not all of one moment. */
const everyInput = 8;

/** A chip as the streams use it: it answers, and keeps a little of what came by for upkeep to try the chip with. */
export class ServingChip implements Network {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly #network: AnalogNetwork;
  readonly #hasScores: boolean;
  #noise: AnswerNoise | undefined;
  #mayAnswer: boolean;
  #inputs: Float32Array[] = [];
  #margins: number[] = [];
  #seen = 0;

  constructor(network: AnalogNetwork, task: Manifest["task"], { noise, mayAnswer }: Knowledge) {
    this.#network = network;
    this.inputShape = network.inputShape;
    this.outputShape = network.outputShape;
    this.#hasScores = task === "classifier";
    this.#noise = noise;
    this.#mayAnswer = mayAnswer;
  }

  get noise(): AnswerNoise | undefined {
    return this.#noise;
  }
  get mayAnswer(): boolean {
    return this.#mayAnswer;
  }
  /** Inferences since the chip was programmed. */
  get inferences(): number {
    return this.#network.inference;
  }

  infer(input: Float32Array, output: Float32Array): void {
    this.#network.infer(input, output);
    if (this.#hasScores && this.#margins.length < mostMargins) this.#margins.push(scoreMargin(output));
    if (this.#seen++ % everyInput === 0 && this.#inputs.length < mostInputs) this.#inputs.push(input.slice());
  }

  /** Answer from another image, with the noise that it has, from the next inference on. */
  show(image: NetworkImage, noise: AnswerNoise | undefined, mayAnswer: boolean): void {
    this.#network.show(image);
    this.#noise = noise;
    this.#mayAnswer = mayAnswer;
  }

  /** What came by since the last call. */
  feed(): {
    readonly inputs: readonly Float32Array[];
    readonly margins: readonly number[];
    readonly inference: number;
  } {
    const fed = { inputs: this.#inputs, margins: this.#margins, inference: this.#network.inference };
    this.#inputs = [];
    this.#margins = [];
    return fed;
  }
}
