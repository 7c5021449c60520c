import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import { weightMaxOf } from "../../models/crossbar/relearn.ts";
import { SequentialRandom } from "../../models/random.ts";
import { argmax } from "../../models/tensor.ts";
import { Increments } from "../../models/training/in-situ/increments.ts";
import { PulseTrains } from "../../models/training/in-situ/pulse-trains.ts";
import type { Config } from "../config/schema.ts";
import { percent } from "../percent.ts";
import { digitalProbabilities, type LastLayer, lastLayerOf, type Sample, uncontradicted } from "./last-layer.ts";
import { holdWeights, LastLayerReads, programmedOf } from "./last-layer-reads.ts";
import { type Kept, type Learned, type Lesson, unlearned } from "./learned.ts";
import { vectorsOf } from "./lessons.ts";
import type { LivingChip } from "./living-chip.ts";
import { meanAlpha, mostAlpha, verifyOf } from "./mending.ts";
import { wearOf } from "./wear.ts";

type Settings = Config["chip"]["learning"];

/** Learnings are counted over so many seconds of the agent's clock. */
export const daySeconds = 86_400;
/** Of the labelled anomalies one in so many is not learned from but shows whether learning helps. */
const heldOutEvery = 4;
/** After so many updates it is looked how they do. */
const lookEvery = 10;
/** When at so many looks in turn too much was forgotten, it ends. */
const mostForgetful = 3;

/**
 * One learning of the last layer from the chip's own answers, all activations as its devices give them:
 *
 *   δ   = p − e_label                        p: probabilities by a product of the layer, e: 1 at the label, else 0
 *   W   ← W − η Σ w δ xᵀ                     by stochastic pulse trains (`PulseTrains`), pulses gathered (`Increments`)
 *   η   = 2 · rate / Σ w |x|²                gradient descent on the cross-entropy surely converges up to rate 1
 *
 * and then the devices that moved are written to their new targets, pulse and verify, and read again for the next update.
 * A step is what a write is verified to. Weights w: half for the labelled, half for what is kept from before, so that it
 * is not forgotten. Each weight stays within `bound` of the trained one and in the range of its device.
 *
 * Of both a part is held out. Where more than `mayForget` of that from before stays answered otherwise, it ends; of the other
 * states looked at the one is taken that is right most often on the labelled ones held out, and where none is better, that of
 * before. Where labels that are new say that what was learned earlier does harm, it begins at the trained weights again.
 */
export class Learning {
  readonly #chip: LivingChip;
  readonly #settings: Settings;
  readonly #layer: LastLayer;
  /** What each weight can be at most. */
  readonly #most: Float32Array;
  readonly #reads: LastLayerReads;
  readonly #known: Learned;
  readonly #lessons: readonly Lesson[];
  readonly #taught: readonly Sample[];
  readonly #heldOut: readonly Sample[];
  readonly #anomaliesHeldOut: number;
  readonly #replayed: readonly Sample[];
  readonly #watched: readonly Sample[];
  readonly #fresh: readonly Sample[];
  #written: WriteCount = noWrites;
  #writings = 0;
  #weights: Float32Array;

  constructor(chip: LivingChip, settings: Settings, lessons: readonly Lesson[]) {
    this.#chip = chip;
    this.#settings = settings;
    this.#layer = lastLayerOf(chip.plan.graph, chip.manifest)!;
    this.#reads = new LastLayerReads(chip, this.#layer);
    this.#most = weightMaxOf(programmedOf(chip, this.#layer));
    this.#known = chip.knowledge.learned ?? unlearned;
    this.#weights = this.#known.weights ?? this.#layer.weights;
    this.#lessons = lessons.filter(({ atMs }) => atMs > this.#known.fromMs);
    const sampled = this.#lessons.map((lesson, n) => ({
      isHeldOut: n % heldOutEvery === heldOutEvery - 1,
      isFresh: lesson.atMs > this.#known.untilMs,
      samples: lesson.inputs.map((input) => this.#sample({ input, label: lesson.label })),
    }));
    const of = (some: typeof sampled) => some.flatMap(({ samples }) => samples);
    this.#taught = of(sampled.filter(({ isHeldOut }) => !isHeldOut));
    this.#heldOut = of(sampled.filter(({ isHeldOut }) => isHeldOut));
    this.#anomaliesHeldOut = sampled.filter(({ isHeldOut }) => isHeldOut).length;
    this.#fresh = of(sampled.filter(({ isFresh }) => isFresh));
    const vectors = vectorsOf(chip.manifest).map((one) => this.#sample(one));
    const first = this.#known.first.map((one) => this.#sample(one));
    const kept = [...vectors, ...uncontradicted(first, vectors, of(sampled))];
    this.#replayed = kept.filter((_, n) => n % 2 === 0);
    this.#watched = kept.filter((_, n) => n % 2 === 1);
  }

  /** Learn. What the chip knows is brought up to date. @returns what came of it, in a sentence */
  run(clockSeconds: number): string {
    const untilMs = this.#lessons.reduce((last, { atMs }) => Math.max(last, atMs), this.#known.untilMs);
    const atClockSeconds = [...this.#known.atClockSeconds, clockSeconds].filter((at) => clockSeconds - at < daySeconds);
    const isWorn = this.#mostPulses() >= this.#settings.pulsesPerDevice;
    if (!isWorn) this.#refresh();
    const told = isWorn ? worn : this.#teach();
    const weights = this.#weights === this.#layer.weights ? undefined : this.#weights;
    this.#chip.learn({ learned: { ...this.#known, weights, untilMs, atClockSeconds } });
    return told;
  }

  /** What was written, how often, and the reads that it took. */
  get writings(): number {
    return this.#writings;
  }
  get written(): WriteCount {
    return this.#written;
  }
  get reads(): LastLayerReads {
    return this.#reads;
  }

  /** @returns what came of it, in a sentence */
  #teach(): string {
    const before = this.#look();
    const trained = this.#layer.weights;
    const hasHarmed = this.#rightBy(trained, this.#fresh) > this.#rightBy(this.#weights, this.#fresh);
    if (hasHarmed) this.#hold(trained);
    const start = { weights: this.#weights, ...(hasHarmed ? this.#look() : before) };
    let best = start;
    const least = this.#rightBy(trained, this.#watched) - this.#settings.mayForget;
    let forgetful = 0;
    const trains = new PulseTrains(this.#reads.array.inputs, this.#random());
    for (let update = 1; update <= this.#settings.updates && forgetful < mostForgetful; update++) {
      this.#update(trains);
      if (update % lookEvery !== 0 && update !== this.#settings.updates) continue;
      const now = { weights: this.#weights, ...this.#look() };
      forgetful = now.watched < least ? forgetful + 1 : 0;
      const isBest = now.heldOut > best.heldOut || (now.heldOut === best.heldOut && now.loss < best.loss);
      if (isBest && forgetful === 0 && helps(start, now, this.#anomaliesHeldOut)) best = now;
    }
    if (this.#weights !== best.weights) this.#hold(best.weights);
    const numbers = `Of the labelled ones ${percent(before.taught)} were right before, ${percent(best.taught)} are now; of those held out ${percent(before.heldOut)} and ${percent(best.heldOut)}; of what is kept from before ${percent(before.watched)} and ${percent(best.watched)}.`;
    const harm = hasHarmed ? "What it had learned did harm and is forgotten. " : "";
    if (best !== start) return `${harm}${numbers}`;
    const reason = forgetful > 0 ? "it would forget what it knew" : "it did not help";
    return `${harm}Taken back: ${reason}. ${numbers}`;
  }

  /** One update: products, pulses, writes. */
  #update(trains: PulseTrains): void {
    const { array, layer } = this.#reads;
    const most = this.#most;
    const step = most.reduce((a, b) => Math.max(a, b), 0) * this.#stepPart();
    const gathered = new Increments(array.outputs, array.inputs, step);
    const groups = [this.#taught, this.#replayed].filter(({ length }) => length > 0);
    const weighted = groups.flatMap((group) => group.map((s) => ({ ...s, share: 1 / (groups.length * group.length) })));
    const square = weighted.reduce((sum, { activations, share }) => sum + share * squareOf(activations), 0);
    const rate = (2 * this.#settings.rate) / Math.max(square, 1e-12);
    for (const { activations, label, share } of weighted) {
      const delta = this.#reads.probabilitiesOf(activations);
      delta[label]! -= 1;
      trains.update(gathered, activations, delta, rate * share);
    }
    const { bound } = this.#settings;
    const low = layer.weights.map((w, i) => Math.max(-most[i]!, w - bound * most[i]!));
    const high = layer.weights.map((w, i) => Math.min(most[i]!, w + bound * most[i]!));
    this.#hold(gathered.applyTo(this.#weights, low, high));
  }

  /** Parts that are right by the devices as they are, and the mean cross-entropy of what is held out, else taught. */
  #look(): { readonly taught: number; readonly heldOut: number; readonly watched: number; readonly loss: number } {
    const taught = this.#read(this.#taught);
    const heldOut = this.#heldOut.length === 0 ? taught : this.#read(this.#heldOut);
    return {
      taught: taught.right,
      heldOut: heldOut.right,
      watched: this.#read(this.#watched).right,
      loss: heldOut.loss,
    };
  }

  #read(samples: readonly Sample[]): { readonly right: number; readonly loss: number } {
    let [right, loss] = [0, 0];
    for (const { activations, label } of samples) {
      const probabilities = this.#reads.probabilitiesOf(activations);
      if (argmax(probabilities) === label) right++;
      loss -= Math.log(Math.max(probabilities[label]!, 1e-12));
    }
    return { right: samples.length === 0 ? 1 : right / samples.length, loss: loss / Math.max(1, samples.length) };
  }

  /** The part that is right by weights as numbers. */
  #rightBy(weights: Float32Array, samples: readonly Sample[]): number {
    if (samples.length === 0) return 1;
    const { bias } = this.#layer;
    const isRight = (s: Sample) => argmax(digitalProbabilities(weights, bias, s.activations)) === s.label;
    return samples.filter(isRight).length / samples.length;
  }

  #sample({ input, label }: Kept): Sample {
    return { activations: this.#reads.activationsOf(input), label };
  }

  #hold(weights: Float32Array): void {
    this.#written = addWrites(this.#written, holdWeights(this.#chip, this.#layer, weights));
    this.#writings++;
    this.#weights = weights;
  }

  /** Write the whole layer anew where new devices would drift away from the old ones at once. */
  #refresh(): void {
    const { tiles } = this.#reads.array;
    if (meanAlpha(tiles) < mostAlpha) return;
    const { device } = this.#chip.plan;
    for (const tile of tiles) {
      const count = tile.rewrite("all", verifyOf(device), tile.targetsSiemens("weights"));
      this.#written = addWrites(this.#written, count);
    }
    this.#chip.wrote(
      tiles.map((_, tile) => ({ array: this.#layer.name, tile })),
      "devices",
    );
  }

  #mostPulses(): number {
    return wearOf(this.#reads.array.tiles.map((tile) => tile.state("view").cells.writes)).pulses.most;
  }

  /** What a write is verified to, as a part of the range. */
  #stepPart(): number {
    const { device } = this.#chip.plan;
    return verifyOf(device).acceptanceSiemens / (device.gMaxSiemens - device.gMinSiemens);
  }

  #random(): SequentialRandom {
    const moment = Math.round(1000 * this.#chip.network.atSeconds);
    return new SequentialRandom(this.#chip.plan.seed, [learningStream, moment >>> 0, Math.floor(moment / 2 ** 32)]);
  }
}

/** Parts that are right. */
interface Right {
  readonly taught: number;
  readonly heldOut: number;
}

/**
 * Whether more is right, by the standard error of the part held out at least; where all of that was right, whether more of
 * what was taught is.
 *
 * @param anomalies how many were held out
 */
const helps = (before: Right, now: Right, anomalies: number): boolean => {
  if (before.heldOut === 1) return now.heldOut === 1 && now.taught > before.taught;
  const error = Math.sqrt((before.heldOut * (1 - before.heldOut)) / Math.max(1, anomalies));
  return now.heldOut > before.heldOut && now.heldOut - before.heldOut >= error;
};

/** Names the random numbers of pulse trains. */
const learningStream = 0x6c65_6172; // "lear"

const worn = "A device of the last layer has had its pulses (pulsesPerDevice): it learns no more.";

const squareOf = (values: Float32Array): number => values.reduce((sum, x) => sum + x * x, 0);
