import { CounterRandom, SequentialRandom } from "../random.ts";
import { sizeOf } from "../tensor.ts";
import { changesWeights, driftWeights, stickWeights } from "./ageing.ts";
import { disturbWeights } from "./hardware.ts";
import { type Job, parts, rangeOfPart, type Task } from "./job.ts";
import type { Pass } from "./layer.ts";
import { type BatchScore, crossEntropy, type Mixture, meanSquare, nextSteps } from "./losses.ts";
import { betaOf, mixSamples } from "./mixup.ts";
import { Teacher } from "./teacher.ts";
import { TrainableNetwork } from "./trainable-network.ts";
import { type Augment, type AugmentModule, readSample } from "./training-set.ts";

/** Streams of chance, by what draws from them. */
const passStream = 0x9a55;
const sampleStream = 0x5a3b;
const weightStream = 0x3e16;
const ageStream = 0xa6e0;
const mixStream = 0x313c;

/** Runs parts of batches on a network in memory of its own, and leaves gradients and scores in the shared blocks. */
export class Runner {
  readonly network: TrainableNetwork;
  readonly #job: Job;
  readonly #augment: Augment | undefined;
  readonly #sample: Float32Array;
  readonly #target: Float32Array;
  readonly #labels: Int32Array;
  readonly #noiseKeys: CounterRandom;
  readonly #teacher: Teacher | undefined;
  readonly #answers: Float32Array;
  /** Labels of the samples mixed in, and one sample. */
  readonly #others: Int32Array;
  readonly #held: Float32Array;
  #mixture: Mixture | undefined;

  constructor(job: Job, augment: Augment | undefined, extraFloats: (parameterFloats: number) => number = () => 0) {
    const batch = Math.ceil(job.batchSize / parts);
    const noisy = changesWeights(job.hardware);
    this.#job = job;
    this.#augment = augment;
    this.network = new TrainableNetwork(job.net, { batch, noisy, converters: job.hardware, extraFloats });
    this.#sample = new Float32Array(sizeOf(job.training.shape));
    this.#target = new Float32Array(job.loss !== "cross-entropy" ? batch * this.network.inputs : 0);
    this.#labels = new Int32Array(batch);
    const { inputs, outputs } = this.network;
    const { mixup = 0, distillation } = job;
    this.#teacher = distillation && new Teacher(distillation.teacher, inputs, outputs);
    this.#answers = new Float32Array(distillation ? batch * outputs : 0);
    this.#others = new Int32Array(mixup > 0 ? batch : 0);
    this.#held = new Float32Array(mixup > 0 ? inputs : 0);
    this.#noiseKeys = new CounterRandom(job.seed, [0, 0, weightStream]);
  }

  /** Do part `part` of a task. The parameters are taken from the shared blocks. */
  run(task: Task, part: number): void {
    const { shared } = this.#job;
    this.network.parameters.value.set(shared.value);
    this.network.parameters.running.set(shared.running);
    const score = task.kind === "step" ? this.#step(task, part) : this.#evaluate(part);
    shared.scores[part]!.set([score.loss, score.correct]);
  }

  #step(task: Task & { kind: "step" }, part: number): BatchScore {
    const { training, shared, hardware, seed } = this.#job;
    const { parameters, input, inputs } = this.network;
    const [from, to] = rangeOfPart(task.count, part);
    for (let i = from; i < to; i++) {
      const index = shared.order[task.from + i]!;
      const out = input.subarray((i - from) * inputs, (i - from + 1) * inputs);
      if (this.#augment) {
        readSample(training, index, this.#sample);
        this.#augment(this.#sample, new SequentialRandom(seed, [task.epoch, index, sampleStream]), out);
      } else {
        readSample(training, index, out);
      }
      this.#labels[i - from] = training.labels?.[index] ?? 0;
    }
    this.#mix(task, part, to - from);
    this.#teacher?.answerInto(input, to - from, this.#answers);
    if (changesWeights(hardware)) this.#changeWeights(task, part);
    parameters.gradient.fill(0);
    parameters.batch.set(parameters.running);
    const random = new SequentialRandom(seed, [task.step, part, passStream]);
    const pass = { count: to - from, training: true, random };
    const score = this.#forward(pass, 1 / task.count);
    this.network.backward(pass);
    shared.gradients[part]!.set(parameters.gradient);
    shared.statistics[part]!.set(parameters.batch);
    return score;
  }

  #mix({ step }: Task & { kind: "step" }, part: number, count: number): void {
    const { mixup = 0, seed } = this.#job;
    if (mixup === 0) return;
    const mixed = betaOf(mixup, new SequentialRandom(seed, [step, part, mixStream]));
    const how = { count, part: mixed, held: this.#held };
    mixSamples(this.network.input, this.#labels, this.#others, how);
    this.#mixture = { labels: this.#others, part: mixed };
  }

  /** Noise, drift and stuck devices on the weights in use. */
  #changeWeights({ epoch, step }: Task & { kind: "step" }, part: number): void {
    const { hardware, seed } = this.#job;
    const { parameters, loops } = this.network;
    const begun = epoch >= (hardware.noiseFromEpoch ?? 0);
    const key = 2 * (step * parts + part);
    const keys = [this.#noiseKeys.wordAt(key), this.#noiseKeys.wordAt(key + 1)] as const;
    disturbWeights(parameters, loops, begun ? hardware : { ...hardware, weightNoise: 0 }, keys);
    const { driftSeconds = 0, stuckDevices = 0 } = hardware;
    const random = new SequentialRandom(seed, [step, part, ageStream]);
    if (begun && driftSeconds > 0) driftWeights(parameters, loops, driftSeconds, random);
    if (begun && stuckDevices > 0) stickWeights(parameters, stuckDevices, random);
  }

  #evaluate(part: number): BatchScore {
    const { validation } = this.#job;
    const { parameters, input, inputs } = this.network;
    if (parameters.used !== parameters.value) parameters.used.set(parameters.value);
    const random = new SequentialRandom(this.#job.seed, [0, part, passStream]);
    const [first, end] = rangeOfPart(validation.count, part);
    const sum = { loss: 0, correct: 0 };
    for (let from = first; from < end; from += this.#labels.length) {
      const count = Math.min(this.#labels.length, end - from);
      for (let i = 0; i < count; i++) {
        readSample(validation, from + i, input.subarray(i * inputs, (i + 1) * inputs));
        this.#labels[i] = validation.labels?.[from + i] ?? 0;
      }
      const score = this.#forward({ count, training: false, random }, 0);
      sum.loss += score.loss;
      sum.correct += score.correct;
    }
    return sum;
  }

  #forward(pass: Pass, scale: number): BatchScore {
    const { loss, labelSmoothing, classWeights } = this.#job;
    const { count, training } = pass;
    const { input, outputs, outputGradient } = this.network;
    if (loss !== "cross-entropy") this.#target.set(input); // layers may change their input in place
    const y = this.network.forward(pass);
    if (loss === "next-step") {
      const [, steps = 1, channels = 1] = this.#job.net.input;
      nextSteps(this.#target, y, { count, steps, channels });
    }
    if (loss !== "cross-entropy")
      return meanSquare(y, this.#target, outputGradient, { count, features: outputs, scale });
    const smoothing = training ? labelSmoothing : 0;
    const { weight = 0, temperature = 1 } = this.#job.distillation ?? {};
    return crossEntropy(y, this.#labels, outputGradient, {
      ...{ count, classes: outputs, smoothing, scale },
      classWeights: training ? classWeights : undefined,
      mixture: training ? this.#mixture : undefined,
      lesson: training && this.#teacher ? { probabilities: this.#answers, weight, temperature } : undefined,
    });
  }
}

/** A runner with its augmentation, imported. `extraFloats` as `TrainableNetwork`. */
export const openRunner = async (job: Job, extraFloats?: (parameterFloats: number) => number): Promise<Runner> => {
  if (!job.augment) return new Runner(job, undefined, extraFloats);
  const { url, options, shared } = job.augment;
  const module = (await import(url)) as Partial<AugmentModule>;
  if (typeof module.prepare !== "function") {
    throw new TypeError(`augment.module: expected ${url} to export a function "prepare", got ${typeof module.prepare}`);
  }
  return new Runner(job, await module.prepare(options, shared), extraFloats);
};
