import fc from "fast-check";
import { from, lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { WindowGrid } from "../../../agent/journal/window-grid.ts";
import { frame } from "../../../pipelines/operators/frame.ts";
import type { SampleBlock } from "../../../pipelines/signal.ts";
import { toneModel } from "../../support/tiny-models.ts";

const rateHz = 1000;
const beginNs = 1_700_000_000_000_000_000n;
const msNs = 1_000_000n;
const inputOf = (windowSamples: number, hopSamples: number) => ({
  ...toneModel().manifest.input,
  ...{ sampleRateHz: rateHz, windowSamples, hopSamples },
});
const blocksOf = (rows: number, count: number, fromRow = 0): SampleBlock[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{
      stream: "s",
      startAtNs: beginNs + BigInt(fromRow + n * rows) * msNs,
      sampleRateHz: rateHz,
      channels: ["a", "b"],
    },
    samples: Float32Array.from({ length: 2 * rows }, (_, i) => 2 * (fromRow + n * rows) + i),
  }));
const startsOf = async (blocks: readonly SampleBlock[], windowSamples: number, hopSamples: number) => {
  const frames = await lastValueFrom(from(blocks).pipe(frame({ frameSamples: windowSamples, hopSamples }), toArray()));
  return frames.map(({ startAtNs, samples }) => [startAtNs, samples[0]] as const);
};

describe("Windows that are cut again from a later block on", () => {
  it("are those that were cut from the first on, all but those that begin before", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 30 }),
        async (rows, hop, longer, later) => {
          const window = hop + longer;
          const blocks = blocksOf(rows, later + Math.ceil((4 * window) / rows) + 2);
          const whole = await startsOf(blocks, window, hop);
          const kept = blocks.slice(later);
          // The last window that ended with the first block kept, as the journal has it; none: nothing was left out.
          const done = (await startsOf(blocks.slice(0, later + 1), window, hop)).at(-1);
          fc.pre(done !== undefined);
          const grid = new WindowGrid(done[0], inputOf(window, hop));
          const cut = kept.map((block) => grid.take(block)).filter((block) => block !== undefined);
          const again = await startsOf(cut, window, hop);
          expect(again).toEqual(whole.filter(([startAtNs]) => startAtNs >= kept[0]!.startAtNs));
        },
      ),
    );
  });

  it("begin with a block that begins a run of its own, as they did", () => {
    const [before, after] = [blocksOf(100, 3), blocksOf(100, 3, 1007)];
    const grid = new WindowGrid(before[2]!.startAtNs, inputOf(50, 30));
    expect(after.map((block) => grid.take(block))).toEqual(after);
  });
});
