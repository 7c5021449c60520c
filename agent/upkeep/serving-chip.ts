import type { AnswerNoise } from "../../models/model.ts";
import type { AnalogNetwork, NetworkImage } from "../../models/network/analog.ts";
import type { Network } from "../../models/network/network.ts";
import type { Shape } from "../../models/tensor.ts";
import type { Knowledge } from "./living-chip.ts";

/** Margins and inputs kept for upkeep between two ticks, at most. */
const mostMargins = 512;
const mostInputs = 4;
/** Of the inputs one in so many is kept, so that they are not all of one moment; of a network that carries a state each one. */
const everyInput = 8;

/** A chip as the streams use it: it answers, and keeps a little of what came by for upkeep to try the chip with. */
export class ServingChip implements Network {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly #network: AnalogNetwork;
  #noise: AnswerNoise | undefined;
  #mayAnswer: boolean;
  #inputs: Float32Array[] = [];
  #margins: number[] = [];
  #seen = 0;
  readonly #everyInput: number;

  constructor(network: AnalogNetwork, { noise, mayAnswer }: Knowledge) {
    this.#network = network;
    this.inputShape = network.inputShape;
    this.outputShape = network.outputShape;
    this.#noise = noise;
    this.#mayAnswer = mayAnswer;
    this.#everyInput = network.states.length > 0 ? 1 : everyInput;
  }

  get noise(): AnswerNoise | undefined {
    return this.#noise;
  }
  get mayAnswer(): boolean {
    return this.#mayAnswer;
  }
  get states(): readonly Float32Array[] {
    return this.#network.states;
  }
  /** Inferences since the chip was programmed: the number of the next. */
  get inference(): number {
    return this.#network.inference;
  }
  set inference(number: number) {
    this.#network.inference = number;
  }

  infer(input: Float32Array, output: Float32Array): void {
    this.#network.infer(input, output);
    if (this.#seen++ % this.#everyInput === 0 && this.#inputs.length < mostInputs) this.#inputs.push(input.slice());
  }

  /** Keep the margin of an answer; one that is not finite is none. */
  readonly answered = (margin: number): void => {
    if (this.#margins.length < mostMargins && Number.isFinite(margin)) this.#margins.push(margin);
  };

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
