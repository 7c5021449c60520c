import type { MonoTypeOperatorFunction } from "rxjs";
import type { OnDrop, OnRepair } from "../dropped.ts";
import { ClockFit } from "../dsp/clock-fit.ts";
import { Resampler } from "../dsp/resampler.ts";
import { rowsOf, samplesToNs } from "../event-time.ts";
import type { SampleBlock } from "../signal.ts";
import { stateful } from "./stateful.ts";

const tolerance = 0.05; // of the nominal rate: no crystal and no RC oscillator that samples a signal is worse
const fittedStamps = 64;
const aheadNs = 2_000_000_000n; // a stamp that is ahead by more, of a block that is the next by its number, is a set clock
const lateNs = 60_000_000_000n; // one that is behind by more is a clock set back, else a block that came late

/** Settings of {@link steady}. */
export interface SteadySettings {
  /** Which sample of a block the sender stamps. */
  readonly stamps: "first" | "last";
  readonly onDrop?: OnDrop | undefined;
  readonly onRepair?: OnRepair | undefined;
}

/**
 * Bring the samples of a sender whose rate is not quite what it says onto an even grid of that rate, in true time by its own
 * stamps: the rate is estimated from stamps and counted samples over the last 64 blocks, and the signal is resampled to
 * the nominal one. Blocks must be in order.
 *
 *   blocks   --[73 at 127.4 Hz]--[73]--[73]--|      says 130 Hz, stamped with ± 4 ms
 *            steady({ stamps: "last" })
 *   blocks   --------[50]------[75]--[74…]--|      130 Hz, no jitter; lags by 32 samples
 *
 * Stamps off by up to half a block, or 50 ms, are jitter. Beyond that, without a number, they are a gap; with one the
 * numbers say whether blocks are missing. A clock that is set back goes unheeded, reason `clock`: the grid goes on. One that
 * is set ahead by more than 2 s begins a new stretch. A rate more than 5 % off the nominal one is taken as 5 % off.
 */
export const steady = ({ stamps, onDrop, onRepair }: SteadySettings): MonoTypeOperatorFunction<SampleBlock> =>
  stateful(() => {
    let stretch: Stretch | undefined;
    let last: SampleBlock | undefined;
    return {
      *take(block) {
        const missing = last === undefined ? 0 : missingBetween(last, block);
        if (stretch !== undefined && (missing === undefined || !stretch.fits(block))) {
          yield* stretch.end();
          stretch = undefined;
        }
        last = block;
        stretch ??= new Stretch(block, stamps);
        const errorNs = stretch.errorNs(block, missing ?? 0);
        const jitterNs = bigintMax(samplesToNs(rowsOf(block), block.sampleRateHz) / 2n, 50_000_000n);
        const isNumbered = block.sequence !== undefined;
        if (!isNumbered && errorNs < -jitterNs && errorNs > -lateNs) {
          onDrop?.("late", rowsOf(block));
          return;
        }
        if (errorNs < -jitterNs) {
          stretch.setClock(errorNs);
          onRepair?.("clock", rowsOf(block));
        }
        const isAhead = errorNs > (isNumbered ? aheadNs : jitterNs);
        if (isAhead || (missing ?? 0) > 0) {
          yield* stretch.end();
          stretch = isAhead ? new Stretch(block, stamps) : stretch.after(missing ?? 0, block);
        }
        yield* stretch.take(block);
      },
      *end() {
        if (stretch !== undefined) yield* stretch.end();
      },
    };
  });

/** Blocks that are missing between two, by their numbers; undefined where a new session begins, 0 where there are no numbers. */
const missingBetween = (earlier: SampleBlock, later: SampleBlock): number | undefined => {
  if (earlier.sequence === undefined || later.sequence === undefined) return 0;
  if (earlier.sequence.session !== later.sequence.session) return undefined;
  return Math.max(0, later.sequence.number - earlier.sequence.number - 1);
};

/** A gapless stretch of a sender's samples, on its way to the even grid. */
class Stretch {
  readonly #first: SampleBlock;
  readonly #stamps: "first" | "last";
  readonly #fit: ClockFit;
  readonly #resampler: Resampler;
  /** What seconds of the fit are counted from, ns since 1970; moves when the sender's clock is set. */
  #originNs: bigint;
  /** What is added to the sender's clock since it was set. */
  #offsetNs: bigint;
  /** Row of the sender, since the fit began, at which this stretch begins. */
  readonly #firstRow: number;
  #row: number;
  #given = 0;
  #gridFromSeconds: number | undefined;

  constructor(first: SampleBlock, stamps: "first" | "last", before?: Stretch, firstRow = 0) {
    const { sampleRateHz, channels, startAtNs } = first;
    this.#first = first;
    this.#stamps = stamps;
    const nominal = { nominalHz: sampleRateHz, tolerance, size: fittedStamps };
    this.#fit = before === undefined ? new ClockFit(nominal) : before.#fit;
    this.#originNs = before === undefined ? startAtNs : before.#originNs;
    this.#offsetNs = before === undefined ? 0n : before.#offsetNs;
    this.#firstRow = firstRow;
    this.#row = firstRow;
    this.#resampler = new Resampler({
      fromHz: sampleRateHz,
      toHz: sampleRateHz,
      channels: channels.length,
      isTuned: true,
    });
  }

  /** Whether a block is of the same kind. */
  fits({ sampleRateHz, channels }: SampleBlock): boolean {
    return sampleRateHz === this.#first.sampleRateHz && channels.length === this.#first.channels.length;
  }

  /** How far the stamp of a block is ahead of where its samples are due, ns. */
  errorNs(block: SampleBlock, missing: number): bigint {
    if (this.#fit.stamps === 0) return 0n;
    const due = this.#fit.at(this.#stampedRow(block, this.#row + missing * rowsOf(block)));
    return this.#stampNs(block) - this.#originNs - BigInt(Math.round(due * 1e9));
  }

  /** The sender's clock was set: its stamps are off by so much from now on. */
  setClock(errorNs: bigint): void {
    this.#originNs += errorNs;
    this.#offsetNs -= errorNs;
  }

  /** The stretch behind a gap of so many blocks, on the same clock. */
  after(missing: number, next: SampleBlock): Stretch {
    return new Stretch(next, this.#stamps, this, this.#row + missing * rowsOf(next));
  }

  *take(block: SampleBlock): Generator<SampleBlock> {
    const { sampleRateHz } = block;
    const seconds = Number(this.#stampNs(block) - this.#originNs) / 1e9;
    this.#fit.add(this.#stampedRow(block, this.#row), seconds);
    this.#gridFromSeconds ??= this.#fit.at(this.#row);
    const endRow = this.#row + rowsOf(block);
    // The grid meets the end of this block when the fit says that it was.
    const rowsToEnd = endRow - this.#firstRow - this.#resampler.position;
    const secondsToEnd = this.#fit.at(endRow) - this.#gridFromSeconds - this.#given / sampleRateHz;
    const hertz = secondsToEnd > 0 ? rowsToEnd / secondsToEnd : this.#fit.rateHz;
    this.#resampler.tune(Math.min((1 + tolerance) * sampleRateHz, Math.max((1 - tolerance) * sampleRateHz, hertz)));
    this.#row = endRow;
    yield* this.#give(this.#resampler.push(block.samples));
  }

  *end(): Generator<SampleBlock> {
    yield* this.#give(this.#resampler.flush());
  }

  *#give(samples: Float32Array): Generator<SampleBlock> {
    if (samples.length === 0) return;
    const { stream, sampleRateHz, channels } = this.#first;
    const fromNs = this.#originNs + this.#offsetNs + BigInt(Math.round(this.#gridFromSeconds! * 1e9));
    yield { stream, startAtNs: fromNs + samplesToNs(this.#given, sampleRateHz), sampleRateHz, channels, samples };
    this.#given += samples.length / channels.length;
  }

  /** The stamp that a block came with; its start was reckoned from it by the nominal rate. */
  #stampNs(block: SampleBlock): bigint {
    const { startAtNs, sampleRateHz } = block;
    return this.#stamps === "first" ? startAtNs : startAtNs + samplesToNs(rowsOf(block) - 1, sampleRateHz);
  }

  #stampedRow(block: SampleBlock, firstRow: number): number {
    return this.#stamps === "first" ? firstRow : firstRow + rowsOf(block) - 1;
  }
}

const bigintMax = (a: bigint, b: bigint): bigint => (a > b ? a : b);
