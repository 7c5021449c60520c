import type { Manifest } from "../../models/manifest.ts";
import type { ChipRequest, UpkeepStep } from "../store/chip-record.ts";
import type { ChipStore } from "../store/chip-store.ts";
import { type CareStep, lookAfter, whyNow } from "./care.ts";
import { plannedChip } from "./chip-plan.ts";
import { healthOf } from "./health.ts";
import { lastLayerOf } from "./last-layer.ts";
import type { Lesson } from "./learned.ts";
import { forget, learn, whyLearn } from "./learning.ts";
import { keepFirst, mostLessons } from "./lessons.ts";
import { type Knowledge, LivingChip } from "./living-chip.ts";
import type { Adopt, Fed, FromUpkeep, Shown, Tick } from "./messages.ts";

interface Adopted {
  readonly chip: LivingChip;
  readonly settings: Adopt["chip"];
  /** Anomalies that people labelled, by id. */
  readonly lessons: Map<string, Lesson>;
  /** Weights of the last layer that were shown. */
  lastLayer: Float32Array | undefined;
  inference: number;
  /** Ticks that it has waited for room. */
  waited: number;
}

/** A chip that needs care waits for room in the streams, but no longer than so many ticks. */
const mostWaits = 60;

/**
 * What runs beside the inferences: chips that are copies of those that answer, to the last bit. Here they age, are
 * calibrated, tested and written; what they come to show is stored first and then told, to be shown between two
 * inferences.
 */
export class Upkeep {
  readonly #store: ChipStore<Knowledge>;
  readonly #tell: (message: FromUpkeep) => void;
  readonly #chips = new Map<string, Adopted>();

  constructor(store: ChipStore<Knowledge>, tell: (message: FromUpkeep) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  /** Take over a chip that is stored. */
  adopt({ key, bytes, chip: settings }: Adopt): void {
    const { plan } = plannedChip(bytes, settings);
    const stored = this.#store.load(key);
    if (stored === undefined) throw new Error(`chip ${key}: expected it to be stored, got none`);
    const chip = new LivingChip(plan, 0, stored);
    const { inference } = stored.state;
    const lastLayer = chip.knowledge.learned?.weights;
    this.#chips.set(key, { chip, settings, lessons: new Map(), lastLayer, inference, waited: 0 });
  }

  /** The manifest of a chip that it looks after. */
  manifestOf(key: string): Manifest {
    return this.#chips.get(key)!.chip.manifest;
  }

  /** Let time pass, and do what is due. */
  tick(tick: Tick): void {
    const requests = this.#store.takeRequests();
    for (const [key, adopted] of this.#chips) {
      this.#feed(
        adopted,
        tick.fed.find((fed) => fed.key === key),
      );
      this.#live(key, adopted, tick, requests);
    }
    this.#tell({ kind: "done" });
  }

  #feed(adopted: Adopted, fed: Fed | undefined): void {
    if (fed === undefined) return;
    adopted.inference = fed.inference;
    adopted.chip.remember(fed.inputs, fed.margins, fed.inference);
    if (adopted.settings.learning.policy !== "none") keepFirst(adopted.chip, fed.inputs, fed.inference);
    for (const lesson of fed.lessons) {
      adopted.lessons.delete(lesson.id);
      adopted.lessons.set(lesson.id, lesson);
    }
    for (const [oldest] of adopted.lessons) if (adopted.lessons.size > mostLessons) adopted.lessons.delete(oldest);
  }

  #live(key: string, adopted: Adopted, tick: Tick, requests: readonly ChipRequest[]): void {
    const { clockSeconds, celsius, celsiusFrom, wallMs, hasRoom } = tick;
    const { chip, settings } = adopted;
    const before = chip.knowledge;
    const isOther = chip.liveTo(clockSeconds, celsius);
    if (celsiusFrom !== before.celsiusFrom) chip.learn({ celsiusFrom });
    // How warm it was until now is part of its age: kept before it shows.
    if (chip.knowledge !== before) saveChip(this.#store, key, chip, adopted.inference, []);
    const isAsked = requests.some(({ what }) => what === "care");
    const toForget = requests.some((request) => request.what === "forget" && request.model === chip.manifest.name);
    const lessons = [...adopted.lessons.values()];
    const why = isAsked ? "It was asked for." : whyNow(chip, settings);
    const toLearn = whyLearn(chip, settings.learning, lessons, clockSeconds);
    const isDue = why !== undefined || toLearn !== undefined || toForget;
    const hasToWait = isDue && !hasRoom && !isAsked && !toForget && adopted.waited++ < mostWaits;
    if (!isDue || hasToWait) {
      if (isOther) this.#tell(this.#shownOf(key, adopted));
      return;
    }
    adopted.waited = 0;
    const taken: (CareStep | undefined)[] = [];
    if (toForget) taken.push(forget(chip, lessons, wallMs));
    if (why !== undefined) taken.push(...lookAfter(chip, settings, why, isAsked ? "asked" : "due"));
    if (toLearn !== undefined && !toForget) taken.push(learn(chip, settings.learning, lessons, clockSeconds, toLearn));
    const steps = taken.flatMap((step): UpkeepStep[] => (step === undefined ? [] : [{ ...step, wallMs }]));
    saveChip(this.#store, key, chip, adopted.inference, steps);
    this.#tell(this.#shownOf(key, adopted));
    for (const step of steps) this.#tell({ kind: "stepped", key, step });
  }

  /** What a chip shows now, with its last layer where that is another than was shown. */
  #shownOf(key: string, adopted: Adopted): Shown {
    const { chip } = adopted;
    const weights = chip.knowledge.learned?.weights;
    const shown = shownOf(key, chip);
    if (weights === adopted.lastLayer) return shown;
    adopted.lastLayer = weights;
    return { ...shown, lastLayer: weights ?? lastLayerOf(chip.plan.graph, chip.manifest)!.weights };
  }
}

/** Store what changed of a chip, with the steps that changed it. */
export const saveChip = (
  store: ChipStore<Knowledge>,
  key: string,
  chip: LivingChip,
  inference: number,
  steps: readonly UpkeepStep[],
  isNew = false,
): void => {
  const { chip: stored, written } = chip.store();
  const whole = { ...stored, state: { ...stored.state, inference } };
  store.save(key, chip.manifest.name, whole, isNew ? "all" : written, steps);
};

/** What a chip shows now. */
export const shownOf = (key: string, chip: LivingChip): Shown => ({
  kind: "shown",
  key,
  image: chip.network.image(),
  noise: chip.knowledge.noise,
  mayAnswer: chip.knowledge.mayAnswer,
  health: healthOf(chip),
});
