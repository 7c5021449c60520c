import { endOf, follows, rowsOf, samplesToNs } from "./event-time.ts";
import type { Evidence, SampleBlock } from "./signal.ts";

/** In the place of a block that was forgotten, so that its samples may go. */
const nothing: SampleBlock = { stream: "", startAtNs: 0n, sampleRateHz: 1, channels: [], samples: new Float32Array() };

/** The last samples of a stream as they came in, by event time: where evidence is cut from. Memory is bounded. */
export class RecentSamples {
  readonly #maxValues: number;
  #blocks: SampleBlock[] = [];
  /** Index of the oldest block that counts; those before it go when they are half. */
  #first = 0;
  #values = 0;

  /** @param maxValues numbers kept, at most, over all channels; the newest block is kept whatever its size */
  constructor({ maxValues }: { readonly maxValues: number }) {
    this.#maxValues = maxValues;
  }

  /** Take in a block; the oldest ones are forgotten. */
  add(block: SampleBlock): void {
    this.#blocks.push(block);
    this.#values += block.samples.length;
    while (this.#values > this.#maxValues && this.#blocks.length - this.#first > 1) {
      this.#values -= this.#blocks[this.#first]!.samples.length;
      this.#blocks[this.#first++] = nothing;
    }
    if (2 * this.#first > this.#blocks.length) {
      this.#blocks = this.#blocks.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The samples between two times, ns since 1970, as far as they are kept; of several gapless runs the last. */
  cut(fromNs: bigint, toNs: bigint): Evidence | undefined {
    const run: SampleBlock[] = [];
    for (let i = this.#blocks.length - 1; i >= this.#first; i--) {
      const block = this.#blocks[i]!;
      if (block.startAtNs >= toNs) continue;
      if (endOf(block) <= fromNs || (run[0] !== undefined && !follows(block, run[0]))) break;
      run.unshift(block);
    }
    const first = run[0];
    if (first === undefined) return undefined;
    const { sampleRateHz, channels } = first;
    const rows = run.reduce((sum, block) => sum + rowsOf(block), 0);
    const rowAt = (ns: bigint) => Math.round((Number(ns - first.startAtNs) * sampleRateHz) / 1e9);
    const from = Math.min(rows, Math.max(0, rowAt(fromNs)));
    const to = Math.min(rows, Math.max(from, rowAt(toNs)));
    const all = new Float32Array(rows * channels.length);
    let at = 0;
    for (const { samples } of run) {
      all.set(samples, at);
      at += samples.length;
    }
    const samples = all.slice(from * channels.length, to * channels.length);
    return { startAtNs: first.startAtNs + samplesToNs(from, sampleRateHz), sampleRateHz, channels, samples };
  }
}
