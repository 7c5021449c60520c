import type { InputContract } from "../../models/manifest.ts";
import { endOf, rowsOf, samplesToNs } from "../../pipelines/event-time.ts";
import type { SampleBlock } from "../../pipelines/signal.ts";

/**
 * Lets the windows of a stream that is read again begin where they began: windows count from the first sample of a run, so
 * samples before the next place on their grid are left out.
 *
 *   first sample kept = start + (grid − start) mod hop
 */
export class WindowGrid {
  readonly #gridNs: bigint;
  readonly #hopNs: bigint;
  readonly #windowNs: bigint;
  /** Before the first block undefined; then the first sample that is kept, ns since 1970. */
  #fromNs: bigint | undefined;

  /** @param gridNs when a window of the run began, the last before the end of the first block or soon after */
  constructor(gridNs: bigint, { hopSamples, windowSamples, sampleRateHz }: InputContract) {
    this.#gridNs = gridNs;
    this.#hopNs = samplesToNs(hopSamples, sampleRateHz);
    this.#windowNs = samplesToNs(windowSamples, sampleRateHz);
  }

  /** What is left of a block; undefined: nothing. Blocks come in order. */
  take(block: SampleBlock): SampleBlock | undefined {
    this.#fromNs ??= this.#first(block);
    const rows = Math.round((Number(this.#fromNs - block.startAtNs) / 1e9) * block.sampleRateHz);
    if (rows <= 0) return block;
    if (rows >= rowsOf(block)) return undefined;
    const startAtNs = block.startAtNs + samplesToNs(rows, block.sampleRateHz);
    return { ...block, startAtNs, samples: block.samples.slice(rows * block.channels.length) };
  }

  /** A window that ended long before the block is of another run, which a gap ended: then the block begins one. */
  #first(block: SampleBlock): bigint {
    const isOfAnother = this.#gridNs <= endOf(block) - this.#windowNs - this.#hopNs;
    if (isOfAnother) return block.startAtNs;
    const apart = (this.#gridNs - block.startAtNs) % this.#hopNs;
    return block.startAtNs + (apart < 0n ? apart + this.#hopNs : apart);
  }
}
