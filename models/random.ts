/**
 * Random numbers that are a function of where they are used, not of when: Philox4x32-10 (Salmon, Moraes, Dror,
 * Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011). The same bits on every machine, in any order.
 */

/** Which numbers: three words of 32 bits that name a stream, such as `[array, tile, event]`. */
export type Stream = readonly [number, number, number];

/**
 * Write the block of Philox4x32-10 for a counter (words c0 … c3) and a key (k0, k1) into `out[0 … 3]`,
 * as unsigned integers of 32 bits.
 */
export const philox4x32 = (
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
  out: Uint32Array,
): void => {
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
};

/**
 * Random numbers by index, of one seed and stream: number `i` is a pure function of (seed, stream, i).
 * Uniform and Gaussian numbers of one stream share bits: draw one kind from a stream.
 */
export class CounterRandom {
  readonly #key: readonly [number, number];
  readonly #stream: Stream;
  readonly #block = new Uint32Array(4);
  readonly #one = new Float64Array(1);
  #blockIndex = -1;
  #blockEvent = -1;

  /** @throws RangeError unless `seed` is an integer in 0 … 2⁵³ − 1 and the words of `stream` are in 0 … 2³² − 1 */
  constructor(seed: number, stream: Stream = [0, 0, 0]) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`seed: expected an integer ≥ 0, got ${seed}`);
    for (const word of stream) {
      if (word !== word >>> 0) throw new RangeError(`stream: expected integers in 0 … 4294967295, got ${word}`);
    }
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.#stream = stream;
  }

  /** Word `index` (0 … 2³⁴ − 1) of the stream: an integer in 0 … 2³² − 1. */
  wordAt(index: number): number {
    this.#fetch((index / 4) >>> 0);
    return this.#block[index & 3]!;
  }

  /** A uniform number in the open interval (0, 1), of 32 bits. */
  uniformAt(index: number): number {
    return (this.wordAt(index) + 0.5) / 2 ** 32;
  }

  /** A number of the normal distribution N(0, 1), by Box and Muller (1958); tails end at 6.76 σ. */
  gaussianAt(index: number): number {
    this.#gaussian(index, this.#one, 0);
    return this.#one[0]!;
  }

  /** `out[i] = gaussianAt(from + i)`. */
  fillGaussian(out: Float32Array | Float64Array, from = 0): void {
    for (let i = 0; i < out.length; i++) this.#gaussian(from + i, out, i);
  }

  /**
   * Runs of numbers, each of a stream of its own: `out[run · k + j] = gaussianAt(run · which[k] + j)`, j = 0 … run − 1, of
   * the stream whose third word is `events[k]`, 0 … 2³² − 1.
   */
  pickGaussians(which: Uint32Array, events: Uint32Array, run: number, out: Float64Array): void {
    for (let k = 0; k < which.length; k++) {
      for (let j = 0; j < run; j++) this.#gaussian(run * which[k]! + j, out, run * k + j, events[k]! | 0); // a small integer to V8: not boxed
    }
  }

  /** Into an array: a number that is returned would be boxed, millions of them in a write of a chip. */
  #gaussian(index: number, out: Float32Array | Float64Array, at: number, event = this.#stream[2]): void {
    this.#fetch((index / 4) >>> 0, event);
    const pair = index & 2;
    const radius = Math.sqrt(-2 * Math.log((this.#block[pair]! + 0.5) / 2 ** 32));
    const angle = (2 * Math.PI * this.#block[pair + 1]!) / 2 ** 32;
    out[at] = radius * ((index & 1) === 0 ? Math.cos(angle) : Math.sin(angle));
  }

  #fetch(block: number, event = this.#stream[2]): void {
    if (block === this.#blockIndex && event === this.#blockEvent) return;
    const stream = this.#stream;
    philox4x32(block, stream[0], stream[1], event, this.#key[0], this.#key[1], this.#block);
    this.#blockIndex = block;
    this.#blockEvent = event;
  }
}

/** Random numbers one after the other, for shuffles, initial weights and made signals. Same seed, same numbers. */
export class SequentialRandom {
  readonly #words: CounterRandom;
  #next = 0;

  /** @throws RangeError as `CounterRandom` */
  constructor(seed: number, stream: Stream = [0, 0, 0]) {
    this.#words = new CounterRandom(seed, stream);
  }

  /** Uniform in the open interval (0, 1). */
  uniform(): number {
    return this.#words.uniformAt(this.#next++);
  }

  /** N(0, 1). */
  gaussian(): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** An integer in 0 … n − 1, each as likely to n / 2³². */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Put the elements into a random order, in place (Fisher and Yates). */
  shuffle<T>(items: { [index: number]: T; readonly length: number }): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = items[i]!;
      items[i] = items[j]!;
      items[j] = held;
    }
  }
}

/** The upper 32 bits of the product of two unsigned integers of 32 bits. */
const multiplyHigh = (a: number, b: number): number => {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle1 = Math.imul(aHigh, bLow);
  const middle2 = Math.imul(aLow, bHigh);
  const carry = (middle1 & 0xffff) + (middle2 & 0xffff) + (Math.imul(aLow, bLow) >>> 16);
  return (Math.imul(aHigh, bHigh) + (middle1 >>> 16) + (middle2 >>> 16) + (carry >>> 16)) | 0;
};
