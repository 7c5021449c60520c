import type { UpkeepStep } from "../store/chip-record.ts";
import type { ChipStore } from "../store/chip-store.ts";
import { type CareSettings, lookAfter, whyNow } from "./care.ts";
import { plannedChip } from "./chip-plan.ts";
import { healthOf } from "./health.ts";
import { type Knowledge, LivingChip } from "./living-chip.ts";
import type { Adopt, Fed, FromUpkeep, Shown, Tick } from "./messages.ts";

interface Adopted {
  readonly chip: LivingChip;
  readonly settings: CareSettings;
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
    this.#chips.set(key, { chip, settings, inference: stored.state.inference, waited: 0 });
  }

  /** Let time pass, and do what is due. */
  tick(tick: Tick): void {
    const isAsked = this.#store.takeRequest();
    for (const [key, adopted] of this.#chips) {
      this.#feed(
        adopted,
        tick.fed.find((fed) => fed.key === key),
      );
      this.#live(key, adopted, tick, isAsked);
    }
    this.#tell({ kind: "done" });
  }

  #feed(adopted: Adopted, fed: Fed | undefined): void {
    if (fed === undefined) return;
    adopted.inference = fed.inference;
    adopted.chip.remember(fed.inputs, fed.margins);
  }

  #live(key: string, adopted: Adopted, tick: Tick, isAsked: boolean): void {
    const { clockSeconds, celsius, celsiusFrom, wallMs, hasRoom } = tick;
    const { chip, settings } = adopted;
    const before = chip.knowledge;
    const isOther = chip.liveTo(clockSeconds, celsius);
    if (celsiusFrom !== before.celsiusFrom) chip.learn({ celsiusFrom });
    // How warm it was until now is part of its age: kept before it shows.
    if (chip.knowledge !== before) saveChip(this.#store, key, chip, adopted.inference, []);
    const why = isAsked ? "It was asked for." : whyNow(chip, settings);
    const hasToWait = why !== undefined && !hasRoom && !isAsked && adopted.waited++ < mostWaits;
    if (why === undefined || hasToWait) {
      if (isOther) this.#tell(shownOf(key, chip));
      return;
    }
    adopted.waited = 0;
    const steps = lookAfter(chip, settings, why).map((step): UpkeepStep => ({ ...step, wallMs }));
    saveChip(this.#store, key, chip, adopted.inference, steps);
    this.#tell(shownOf(key, chip));
    for (const step of steps) this.#tell({ kind: "stepped", key, step });
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
