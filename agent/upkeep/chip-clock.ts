/** What the clock of a chip goes by. */
export interface TimeSource {
  /** Of this machine's calendar: may jump either way. ms since 1970. */
  readonly wallMs: () => number;
  /** Of a clock that only goes forward while the program runs, from any zero. ms. */
  readonly steadyMs: () => number;
}

/** Where a chip's time stood, and which moment of the calendar that was. What is stored. */
export interface ClockAnchor {
  readonly chipSeconds: number;
  /** The moment up to which the chip's time is accounted for, ms since 1970. */
  readonly wallMs: number;
}

/** How the calendar stands to the time that is accounted for. */
export type Calendar = "even" | "behind" | "ahead";

/** Told when the calendar does not fit: a sentence. */
export type OnStep = (calendar: Calendar, sentence: string) => void;

export interface ChipClockOptions {
  /** Where the chip's time stood when it was stored. */
  readonly anchor: ClockAnchor;
  /** Seconds of the chip in one second. */
  readonly rate: number;
  /** The longest absence that the calendar is believed, s. */
  readonly maxAbsenceSeconds: number;
  readonly time: TimeSource;
  readonly onStep?: OnStep;
}

/** By how much calendar and steady clock may differ before it counts as a step, ms. */
const toleranceMs = 10_000;

/**
 * The time of a chip, which goes on while the power is off:
 *
 *   accounted = stored moment + what the steady clock ran since        chip = stored + rate · (accounted − stored moment)
 *   gap       = calendar − accounted
 *
 * A gap is what the program did not see: the machine was off or asleep, or the calendar was wrong and is right now. It
 * is lived through at once. A gap below zero (no battery for the clock, a calendar set back) counts for nothing: no
 * device grows younger. One above `maxAbsenceSeconds` (a clock years ahead) is not believed. In both cases the chip goes
 * on by the steady clock, and the gap is made up for when the calendar is right again.
 */
export class ChipClock {
  readonly #options: ChipClockOptions;
  #accountedMs: number;
  #steadyMs: number;
  #calendar: Calendar = "even";
  #absentSeconds = 0;

  /** Reads the clocks: what passed since the anchor is lived through here. */
  constructor(options: ChipClockOptions) {
    this.#options = options;
    this.#accountedMs = options.anchor.wallMs;
    this.#steadyMs = options.time.steadyMs();
    this.#follow();
  }

  /** The chip's time now, s. Never less than before. */
  get seconds(): number {
    this.#follow();
    return this.#secondsAt(this.#accountedMs);
  }

  /** The chip's time that passed in gaps, off or asleep, since this clock was made, s. */
  get absentSeconds(): number {
    return this.#absentSeconds;
  }

  /** What to store, so that a later clock goes on from here. */
  get anchor(): ClockAnchor {
    return { chipSeconds: this.seconds, wallMs: this.#accountedMs };
  }

  #follow(): void {
    const { time, maxAbsenceSeconds, rate } = this.#options;
    const steadyMs = time.steadyMs();
    this.#accountedMs += Math.max(0, steadyMs - this.#steadyMs);
    this.#steadyMs = steadyMs;
    const gapMs = time.wallMs() - this.#accountedMs;
    if (gapMs < -toleranceMs) this.#note("behind", gapMs);
    else if (gapMs > 1000 * maxAbsenceSeconds) this.#note("ahead", gapMs);
    else {
      this.#calendar = "even";
      if (gapMs <= toleranceMs) return;
      this.#accountedMs += gapMs;
      this.#absentSeconds += (gapMs / 1000) * rate;
    }
  }

  #secondsAt(accountedMs: number): number {
    const { anchor, rate } = this.#options;
    return anchor.chipSeconds + ((accountedMs - anchor.wallMs) / 1000) * rate;
  }

  #note(calendar: "behind" | "ahead", gapMs: number): void {
    if (this.#calendar === calendar) return;
    this.#calendar = calendar;
    const apart = `${Math.abs(Math.round(gapMs / 1000))} s`;
    const expected =
      Math.abs(this.#accountedMs) <= 8.64e15 ? new Date(this.#accountedMs).toISOString() : "its last time";
    const how =
      calendar === "behind"
        ? `is ${apart} behind ${expected}, where the chip's time stands`
        : `is ${apart} ahead of ${expected}, where the chip's time stands, more than chip.maxAbsenceSeconds`;
    this.#options.onStep?.(
      calendar,
      `The calendar ${how}; the chip ages by the time that the program runs until it fits.`,
    );
  }
}
