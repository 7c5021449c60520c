import type { SampleBlock } from "./signal.ts";

/** Length of `samples` at a rate, ns. */
export const samplesToNs = (samples: number, sampleRateHz: number): bigint =>
  BigInt(Math.round((samples / sampleRateHz) * 1e9));

/** Time steps in a block. */
export const rowsOf = ({ samples, channels }: Pick<SampleBlock, "samples" | "channels">): number =>
  samples.length / channels.length;

/** When the sample after the last of a block is due, ns since 1970. */
export const endOf = (block: SampleBlock): bigint => block.startAtNs + samplesToNs(rowsOf(block), block.sampleRateHz);

/** How far stamps may be from the grid of the samples and still continue it: half a sample, at least 5 ms (a sender's jitter). */
export const toleranceNs = (sampleRateHz: number): bigint => BigInt(Math.round(Math.max(0.5e9 / sampleRateHz, 5e6)));

/** Whether a block goes on where another ended: the same rate and number of channels, and no gap nor step back in time. */
export const follows = (earlier: SampleBlock, later: SampleBlock): boolean => {
  const errorNs = later.startAtNs - endOf(earlier);
  return (
    earlier.sampleRateHz === later.sampleRateHz &&
    earlier.channels.length === later.channels.length &&
    errorNs <= toleranceNs(later.sampleRateHz) &&
    -errorNs <= toleranceNs(later.sampleRateHz)
  );
};

/** The time of each row of a gapless run, by the stamp of the newest block in it. */
export class Timeline {
  readonly #sampleRateHz: number;
  #row = 0;
  #atNs = 0n;

  constructor(sampleRateHz: number) {
    this.#sampleRateHz = sampleRateHz;
  }

  /** Say when a row was, ns since 1970. */
  pin(row: number, atNs: bigint): void {
    this.#row = row;
    this.#atNs = atNs;
  }

  /** When a row was, ns since 1970; it need not be whole. */
  at(row: number): bigint {
    return this.#atNs + samplesToNs(row - this.#row, this.#sampleRateHz);
  }
}
