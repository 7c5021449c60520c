import { copyFileSync, existsSync } from "node:fs";
import type { Model } from "../../models/model.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { Config } from "../config/schema.ts";
import { guarded } from "../guarded.ts";
import { modelBytes, openModel, usingModel } from "../models.ts";
import { ChipUnreadable, type UpkeepStep } from "../store/chip-record.ts";
import { type ChipStore, openChipStore } from "../store/chip-store.ts";
import { sentenceOf } from "../stream-runner.ts";
import type { OpenModel } from "../streams.ts";
import type { Emit } from "../telemetry/events.ts";
import { lookAfter, whyNow } from "./care.ts";
import { ChipClock, type TimeSource } from "./chip-clock.ts";
import { type PlannedChip, plannedChip } from "./chip-plan.ts";
import { type ChipHealth, healthOf } from "./health.ts";
import { type FeedbackSource, LabelledAnomalies } from "./labelled.ts";
import { lastLayerOf } from "./last-layer.ts";
import { type Knowledge, LivingChip } from "./living-chip.ts";
import { ServingChip } from "./serving-chip.ts";
import { TemperatureFeed } from "./temperature.ts";
import { saveChip } from "./upkeep.ts";
import { UpkeepThread } from "./upkeep-thread.ts";

/** What the chips need of the agent around them. */
export interface BankOptions {
  /** Memory of the chips. */
  readonly file: string;
  readonly chip: Config["chip"];
  readonly emit: Emit;
  readonly time: TimeSource;
  /** Whether nothing waits to be classified. */
  readonly hasRoom: () => boolean;
  /** What people said of anomalies, where chips may learn from it. */
  readonly feedback?: FeedbackSource;
  readonly onStep?: (health: ChipHealth, step: UpkeepStep) => void;
}

interface Serving {
  readonly planned: PlannedChip;
  readonly bytes: Uint8Array;
  readonly chip: ServingChip;
  readonly model: Model;
  /** Lets the digital network have the last layer that the chip has. */
  readonly setLastLayer: (weights: Float32Array) => void;
  health: ChipHealth;
}

/** How often upkeep is told that time has passed, ms. */
const tickMs = 1000;
/** An upkeep thread that ended is begun again after so many ticks. */
const pauseTicks = 60;

/**
 * The chips of an agent: one a model, shared by all its streams. They go on where they were when the agent ended, older
 * by the time between. Streams are answered from here; a thread of its own ages them, calibrates and writes them, and
 * hands over what they come to show, which is taken over between two inferences.
 */
export class ChipBank {
  /** What the chips take for their temperature. */
  readonly temperature: TemperatureFeed;
  readonly #options: BankOptions;
  readonly #serving = new Map<string, Serving>();
  #store: ChipStore<Knowledge> | undefined;
  #clock: ChipClock | undefined;
  #thread: UpkeepThread | undefined;
  #labelled: LabelledAnomalies | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pause = 0;

  constructor(options: BankOptions) {
    this.#options = options;
    const { emit, time } = options;
    this.temperature = new TemperatureFeed(options.chip, { emit, steadyMs: time.steadyMs });
  }

  /**
   * A model on its chip: from memory, aged to now and calibrated where that is due, or programmed. Without a crossbar it
   * is opened as it is. @throws as `openModel`; DatabaseError where the memory cannot be used
   */
  readonly openModel: OpenModel = (name, chip) => {
    if (chip.device === "digital") return openModel(name, chip);
    const bytes = modelBytes(name);
    const planned = usingModel(name, () => plannedChip(bytes, chip));
    const known = this.#serving.get(planned.key);
    if (known !== undefined) return known.model;
    const serving = usingModel(name, () => this.#open(planned, bytes));
    this.#serving.set(planned.key, serving);
    this.#thread?.adopt(planned.key, bytes, chip);
    return serving.model;
  };

  /** How the chips are, as last told by upkeep. */
  get health(): readonly ChipHealth[] {
    return [...this.#serving.values()].map(({ health }) => health);
  }

  /** Whether the thread of upkeep works at something now. */
  get isAtWork(): boolean {
    return this.#thread?.isBusy ?? false;
  }

  /** Inferences of a chip since it was programmed, by model. */
  inferencesOf(model: string): number {
    return [...this.#serving.values()].find(({ health }) => health.model === model)?.chip.inference ?? 0;
  }

  /** Ask that the chips be looked after now. @returns the models whose chips are, soon */
  requestCare(): readonly string[] {
    if (this.#serving.size > 0) this.#store?.request();
    return this.health.map(({ model }) => model);
  }

  /** Ask that the chip of a model forget what it learned in place. @returns whether there is a chip of that model */
  requestForget(model: string): boolean {
    const known = this.health.some((health) => health.model === model);
    if (known) this.#store?.request({ what: "forget", model });
    return known;
  }

  /** Tell the last step of each chip again, to one who comes late. */
  announce(): void {
    for (const [key, { health }] of this.#serving) {
      for (const step of this.#store?.steps(key, 1) ?? []) this.#options.onStep?.(health, step);
    }
  }

  /** Begin to look after the chips. */
  start(): void {
    this.#timer = setInterval(
      guarded(this.#options.emit, () => this.#tick()),
      tickMs,
    );
    this.#timer.unref();
  }

  /** Begin nothing new until `start`. */
  pause(): void {
    clearInterval(this.#timer);
  }

  /** Look after them no more, and keep what the next start needs. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#thread?.stop();
    for (const [key, { chip }] of this.#serving) this.#store?.setInference(key, chip.inference);
    if (this.#clock) this.#store?.setClock(this.#clock.anchor);
    this.#store?.close();
  }

  #open(planned: PlannedChip, bytes: Uint8Array): Serving {
    const { key, plan, sha256 } = planned;
    const { chip: settings, emit, time } = this.#options;
    const store = this.#openStore();
    const clock = this.#openClock(store);
    const stored = this.#load(store, key, plan.manifest.name);
    const now = clock.seconds;
    const living = new LivingChip(plan, now, stored, settings.ageSeconds);
    living.liveTo(now, stored === undefined ? settings.celsius : undefined);
    const why = whyNow(living, settings);
    const wallMs = time.wallMs();
    const steps = why === undefined ? [] : lookAfter(living, settings, why, "due").map((step) => ({ ...step, wallMs }));
    if (stored === undefined || steps.length > 0) {
      saveChip(store, key, living, living.network.inference, steps, stored === undefined);
    }
    const model = plan.manifest.name;
    if (stored === undefined) emit({ name: "ChipProgrammed", model, detail: `${model}: a new chip was programmed.` });
    const health = healthOf(living);
    for (const step of steps) this.#tellStep(health, step);
    const { network, twin, manifest, knowledge } = living;
    const chip = new ServingChip(network, knowledge);
    const { policy, sigmas, reads } = settings.doubt;
    const digital = settings.kernel === "simd" ? twin : new DigitalNetwork(plan.graph, { kernel: settings.kernel });
    const lastLayer = lastLayerOf(plan.graph, manifest)?.name;
    const setLastLayer = (weights: Float32Array) => lastLayer && digital.setWeights(lastLayer, weights);
    if (knowledge.learned?.weights) setLastLayer(knowledge.learned.weights);
    const doubt = {
      ...{ policy, sigmas, reads, twin: digital },
      noise: () => chip.noise,
      onMargin: chip.answered,
      mayAnswer: () => chip.mayAnswer,
    };
    return { planned, bytes, chip, health, setLastLayer, model: { manifest, sha256, network: chip, doubt } };
  }

  #openStore(): ChipStore<Knowledge> {
    this.#store ??= openChipStore<Knowledge>(this.#options.file, (detail) =>
      this.#options.emit({ name: "ChipDamaged", detail }),
    );
    return this.#store;
  }

  #openClock(store: ChipStore<Knowledge>): ChipClock {
    if (this.#clock) return this.#clock;
    const { chip, emit, time } = this.#options;
    const stored = store.clock();
    this.#clock = new ChipClock({
      anchor: stored ?? { chipSeconds: 0, wallMs: time.wallMs() },
      rate: chip.clockRate,
      maxAbsenceSeconds: chip.maxAbsenceSeconds,
      time,
      onStep: (_, detail) => emit({ name: "ChipClockDoubted", detail }),
    });
    const { absentSeconds } = this.#clock;
    if (absentSeconds > 0) {
      const detail = `The chips were without power for ${(absentSeconds / 86_400).toFixed(2)} days of their time.`;
      emit({ name: "ChipsResumed", detail });
    }
    store.setClock(this.#clock.anchor);
    return this.#clock;
  }

  #load(store: ChipStore<Knowledge>, key: string, model: string) {
    try {
      return store.load(key);
    } catch (error) {
      if (!(error instanceof ChipUnreadable)) throw error;
      const aside = copyAside(this.#options.file);
      store.remove(key);
      const detail = `${model}: ${error.message}; the file as it was is kept as ${aside}, the chip is programmed anew`;
      this.#options.emit({ name: "ChipDamaged", detail });
      return undefined;
    }
  }

  #tick(): void {
    if (this.#clock === undefined || this.#serving.size === 0) return;
    if (this.#thread === undefined) {
      if (this.#pause-- > 0) return;
      this.#thread = this.#begin();
    }
    if (this.#thread.isBusy) return;
    const { time, hasRoom } = this.#options;
    const labelled = this.#labelled?.next() ?? [];
    this.#thread.tick({
      kind: "tick",
      clockSeconds: this.#clock.seconds,
      wallMs: time.wallMs(),
      celsius: this.temperature.celsius,
      celsiusFrom: this.temperature.source,
      hasRoom: hasRoom(),
      fed: [...this.#serving].map(([key, { chip: serving, model }]) => ({
        ...{ key, ...serving.feed() },
        labelled: labelled.filter(({ anomaly }) => anomaly.model === model.manifest.name),
      })),
    });
  }

  #begin(): UpkeepThread {
    const { chip: settings, feedback, emit } = this.#options;
    // A new thread knows of none.
    if (settings.learning.policy === "labels" && feedback) this.#labelled = new LabelledAnomalies(feedback);
    const thread = new UpkeepThread(this.#options.file, {
      onShown: ({ key, image, noise, mayAnswer, lastLayer, health }) => {
        const serving = this.#serving.get(key);
        if (serving === undefined) return;
        if (serving.chip.mayAnswer && !mayAnswer) {
          const detail = `${health.model}: the chip is too far from its network to answer.`;
          this.#options.emit({ name: "ChipRefused", model: health.model, detail });
        }
        serving.chip.show(image, noise, mayAnswer);
        if (lastLayer) serving.setLastLayer(lastLayer);
        serving.health = health;
      },
      onStepped: ({ key, step }) => {
        const serving = this.#serving.get(key);
        if (serving) this.#tellStep(serving.health, step);
      },
      onLeftOut: ({ stream, detail }) => emit({ name: "LabelLeftOut", stream, detail }),
      onFailed: (error) => {
        this.#thread = undefined;
        this.#pause = pauseTicks;
        this.#options.emit({ name: "UpkeepFailed", detail: `Upkeep ended: ${sentenceOf(error)}` });
      },
    });
    for (const [key, { bytes }] of this.#serving) thread.adopt(key, bytes, this.#options.chip);
    return thread;
  }

  #tellStep(health: ChipHealth, step: UpkeepStep): void {
    const { emit, onStep } = this.#options;
    const { kind, why, reads, pulses } = step;
    const detail = `${health.model}: ${kind}. ${why} ${reads} reads, ${pulses} pulses.`;
    emit({ name: "ChipCaredFor", model: health.model, reason: kind, detail });
    if (this.#timer !== undefined) onStep?.(health, step);
  }
}

const copyAside = (file: string): string => {
  let n = 1;
  while (existsSync(`${file}.damaged-${n}`)) n++;
  copyFileSync(file, `${file}.damaged-${n}`);
  return `${file}.damaged-${n}`;
};
