import { endOf, follows, rowsOf, samplesToNs } from "./event-time.ts";
import type { Evidence, SampleBlock } from "./signal.ts";

/** A row of a slow sensor as a block of its own would take a hundred times its samples: such are put together. */
const joinedValues = 512;

/** In the place of a block that was forgotten, so that its samples may go. */
const nothing: SampleBlock = { stream: "", startAtNs: 0n, sampleRateHz: 1, channels: [], samples: new Float32Array() };

/** The last samples of a stream as they came in, by event time: where evidence is cut from. Memory is bounded. */
export class RecentSamples {
  readonly #maxValues: number;
  /** Small blocks are put together up to so many numbers; what is forgotten goes in such pieces. */
  readonly #joinedValues: number;
  #blocks: SampleBlock[] = [];
  /** Index of the oldest block that counts; those before it go when they are half. */
  #first = 0;
  #values = 0;
  /** Where the last block lies, when it was put together of small ones. */
  #room: Float32Array | undefined;

  /** @param maxValues numbers kept, at most, over all channels; the newest block is kept whatever its size */
  constructor({ maxValues }: { readonly maxValues: number }) {
    this.#maxValues = maxValues;
    this.#joinedValues = Math.min(joinedValues, Math.floor(maxValues / 8));
  }

  /** Take in a block; the oldest ones are forgotten. */
  add(block: SampleBlock): void {
    this.#values += block.samples.length;
    if (!this.#extendLast(block)) {
      this.#blocks.push(block);
      this.#room = undefined;
    }
    while (this.#values > this.#maxValues && this.#blocks.length - this.#first > 1) {
      this.#values -= this.#blocks[this.#first]!.samples.length;
      this.#blocks[this.#first++] = nothing;
    }
    if (2 * this.#first > this.#blocks.length) {
      this.#blocks = this.#blocks.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Put a small block that goes on where the last ended behind it. @returns whether it did */
  #extendLast(block: SampleBlock): boolean {
    const last = this.#blocks.at(-1);
    if (last === undefined || last === nothing) return false;
    const held = last.samples.length;
    const length = held + block.samples.length;
    const isSame =
      last.channels.length === block.channels.length && last.channels.every((c, i) => c === block.channels[i]);
    if (length > this.#joinedValues || !isSame || !follows(last, block)) return false;
    if (this.#room === undefined) {
      this.#room = new Float32Array(this.#joinedValues);
      this.#room.set(last.samples);
    }
    this.#room.set(block.samples, held);
    this.#blocks[this.#blocks.length - 1] = { ...last, samples: this.#room.subarray(0, length) };
    return true;
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
