import { concat, from, NEVER, type OperatorFunction, toArray } from "rxjs";
import type { SampleBlock } from "../../pipelines/signal.ts";

/** A signal as a function of time in seconds, sampled. */
export const sampled = (signal: (seconds: number) => number, rateHz: number, samples: number): Float32Array =>
  Float32Array.from({ length: samples }, (_, i) => signal(i / rateHz));

export const sine =
  (hz: number, amplitude = 1) =>
  (seconds: number): number =>
    amplitude * Math.sin(2 * Math.PI * hz * seconds);

/** Evenly distributed numbers in −1 … 1, by a linear congruence: enough to be no pattern. */
export const noise = (samples: number, seed = 1): Float32Array => {
  let state = seed >>> 0;
  return Float32Array.from({ length: samples }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
};

export interface BlockOptions {
  readonly rateHz?: number;
  readonly channels?: readonly string[];
  readonly startAtNs?: bigint;
}

/** A block of one channel at 1 kHz from time 0 unless told otherwise. */
export const block = (samples: ArrayLike<number>, options: BlockOptions = {}): SampleBlock => ({
  stream: "s",
  startAtNs: options.startAtNs ?? 0n,
  sampleRateHz: options.rateHz ?? 1000,
  channels: options.channels ?? ["x"],
  samples: Float32Array.from(samples),
});

/** Cut a long signal into blocks of the given lengths (time steps), over and over. */
export const cut = (
  samples: ArrayLike<number>,
  lengths: readonly number[],
  options: BlockOptions = {},
): SampleBlock[] => {
  const { rateHz = 1000, channels = ["x"], startAtNs = 0n } = options;
  const all = Float32Array.from(samples);
  const blocks: SampleBlock[] = [];
  const rows = all.length / channels.length;
  for (let row = 0, i = 0; row < rows; i++) {
    const end = Math.min(rows, row + lengths[i % lengths.length]!);
    const at = startAtNs + BigInt(Math.round((row / rateHz) * 1e9));
    const part = all.slice(row * channels.length, end * channels.length);
    blocks.push(block(part, { rateHz, channels, startAtNs: at }));
    row = end;
  }
  return blocks;
};

/** All that an operator makes of values that end; throws what the stream throws. */
export const run = <In, Out>(values: Iterable<In>, operator: OperatorFunction<In, Out>): Out[] => {
  let out: Out[] | undefined;
  let failure: unknown;
  from(values)
    .pipe(operator, toArray())
    .subscribe({
      next: (all) => {
        out = all;
      },
      error: (error: unknown) => {
        failure = error;
      },
    });
  if (out === undefined) throw failure ?? new Error("stream: expected an end, got none");
  return out;
};

/** All that has come out of an operator while its input has not ended. */
export const runOpen = <In, Out>(values: Iterable<In>, operator: OperatorFunction<In, Out>): Out[] => {
  const out: Out[] = [];
  concat(from(values), NEVER)
    .pipe(operator)
    .subscribe((value) => out.push(value))
    .unsubscribe();
  return out;
};

/** The samples of blocks one after the other. */
export const joined = (blocks: readonly { readonly samples: Float32Array }[]): number[] =>
  blocks.flatMap(({ samples }) => [...samples]);
