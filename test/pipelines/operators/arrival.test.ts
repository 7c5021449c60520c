import { describe, expect, it } from "vitest";
import { endOf, follows } from "../../../pipelines/event-time.ts";
import { fillGaps } from "../../../pipelines/operators/fill-gaps.ts";
import { reorder } from "../../../pipelines/operators/reorder.ts";
import { sanitise } from "../../../pipelines/operators/sanitise.ts";
import { selectChannels } from "../../../pipelines/operators/select-channels.ts";
import type { SampleBlock } from "../../../pipelines/signal.ts";
import { block, cut, joined, run, runOpen } from "../blocks.ts";

const ms = 1_000_000n;
const counting = Float32Array.from({ length: 100 }, (_, i) => i);
const tens = cut(counting, [10], { rateHz: 100 }); // ten blocks of 100 ms
const noted = () => {
  const notes: string[] = [];
  return { notes, note: (reason: string, samples: number) => notes.push(`${reason} ${samples}`) };
};

describe("reorder", () => {
  it("puts blocks back in order and drops repeats, counting their samples", () => {
    const { notes, note } = noted();
    const shuffled = [0, 1, 3, 2, 2, 4, 5, 5, 7, 8, 6, 9].map((i) => tens[i]!);
    expect(joined(run(shuffled, reorder({ windowBlocks: 2, onDrop: note })))).toEqual([...counting]);
    expect(notes).toEqual(["repeated 10", "repeated 10"]);
  });

  it("puts blocks in order that are shorter than the jitter it bears: 1.25 ms", () => {
    const short = cut(counting, [20], { rateHz: 16000 });
    const out = run(
      [0, 2, 1, 3, 4].map((i) => short[i]!),
      reorder({ windowBlocks: 2 }),
    );
    expect(joined(out)).toEqual([...counting]);
  });

  it("holds nothing back while blocks are in order", () => {
    expect(runOpen(tens.slice(0, 3), reorder({ windowBlocks: 4 }))).toHaveLength(3);
  });

  it("waits behind a hole for windowBlocks blocks, then goes on; what comes later is late", () => {
    const { notes, note } = noted();
    const operator = () => reorder({ windowBlocks: 2, onDrop: note });
    expect(runOpen([tens[0]!, tens[2]!, tens[3]!], operator())).toHaveLength(1);
    expect(runOpen([tens[0]!, tens[2]!, tens[3]!, tens[4]!], operator())).toHaveLength(4);
    expect(run([tens[0]!, tens[2]!, tens[3]!, tens[4]!, tens[1]!], operator())).toHaveLength(4);
    expect(notes).toEqual(["late 10"]);
  });

  it("cuts the overlap off a block that begins before the last one ended", () => {
    const overlapping = block(counting.slice(5, 15), { rateHz: 100, startAtNs: 50n * ms });
    expect(joined(run([tens[0]!, overlapping], reorder({ windowBlocks: 2 })))).toEqual([...counting.slice(0, 15)]);
  });

  it("follows a sender whose clock was set back, once more than windowBlocks late blocks came", () => {
    const lateBy = (i: number) => ({ ...tens[i]!, startAtNs: tens[i]!.startAtNs - 3_600_000n * ms });
    const out = run([...tens.slice(0, 5), ...[5, 6, 7, 8, 9].map(lateBy)], reorder({ windowBlocks: 2 }));
    expect(joined(out)).toEqual([...counting.slice(0, 50), ...counting.slice(70)]);
  });

  it("drops blocks that make no sense as malformed and goes on", () => {
    const { notes, note } = noted();
    const bad: SampleBlock[] = [
      block([], {}),
      { ...block([1, 2]), sampleRateHz: Number.NaN },
      { ...block([1, 2]), sampleRateHz: 0 },
      { ...block([1, 2, 3]), channels: ["a", "b"] },
    ];
    expect(run([...bad, tens[0]!], reorder({ windowBlocks: 2, onDrop: note }))).toEqual([tens[0]]);
    expect(notes).toEqual(["malformed 0", "malformed 2", "malformed 2", "malformed 1"]);
  });

  it("refuses a window that is no integer in 0 … 64", () => {
    expect(() => reorder({ windowBlocks: -1 })).toThrow("windowBlocks: expected an integer in 0 … 64, got -1");
  });
});

describe("fillGaps", () => {
  it("draws a line over a missing row of a slow logger, channel by channel", () => {
    const { notes, note } = noted();
    const row = (second: number, a: number, b: number) =>
      block([a, b], { rateHz: 1, channels: ["a", "b"], startAtNs: BigInt(second) * 1000n * ms });
    const out = run([row(0, 0, 10), row(1, 1, 10), row(3, 3, 20)], fillGaps({ maxGapSamples: 5, onRepair: note }));
    expect(joined(out)).toEqual([0, 10, 1, 10, 2, 15, 3, 20]);
    expect(out.map((b) => b.startAtNs / (1000n * ms))).toEqual([0n, 1n, 2n, 3n]);
    expect(notes).toEqual(["gap 1"]);
  });

  it("leaves a longer gap as it is", () => {
    const blocks = [tens[0]!, tens[2]!];
    expect(run(blocks, fillGaps({ maxGapSamples: 9 }))).toEqual(blocks);
    expect(joined(run(blocks, fillGaps({ maxGapSamples: 10 })))).toHaveLength(30);
  });

  it("sees no gap in stamps that jitter by ±2 ms at 16 kHz, and gives back stamps that later stages join", () => {
    const { notes, note } = noted();
    const blocks = cut(new Float32Array(16000), [320], { rateHz: 16000 }).map((b, i) => ({
      ...b,
      startAtNs: b.startAtNs + [0n, 2n, -2n, 1n][i % 4]! * ms,
    }));
    const out = run(blocks, fillGaps({ maxGapSamples: 80, onRepair: note }));
    expect(notes).toEqual([]);
    expect(joined(out)).toHaveLength(16000);
    for (let i = 1; i < out.length; i++) expect(follows(out[i - 1]!, out[i]!)).toBe(true);
  });

  it("follows a sender whose clock is 0.1 % fast for ten minutes without a gap", () => {
    const blocks = Array.from({ length: 6000 }, (_, i) =>
      block(new Float32Array(100), { rateHz: 1000, startAtNs: BigInt(i) * 99_900_000n }),
    );
    const { notes, note } = noted();
    const out = run(blocks, fillGaps({ maxGapSamples: 3, onRepair: note }));
    expect(notes).toEqual([]);
    const error = endOf(out.at(-1)!) - endOf(blocks.at(-1)!);
    expect(Number(error < 0n ? -error : error)).toBeLessThan(2e6); // a lag of drift / slew share = 8 · 0.1 ms
  });

  it("keeps exact stamps exact", () => {
    expect(run(tens, fillGaps({ maxGapSamples: 1 }))).toEqual(tens);
  });
});

describe("sanitise", () => {
  const nan = Number.NaN;

  it("bridges short runs of NaN and ±∞ by straight lines, also over the rim of a block", () => {
    const { notes, note } = noted();
    const signal = [0, nan, 2, 3, nan, Number.POSITIVE_INFINITY, 6, 7];
    const out = run(cut(signal, [5]), sanitise({ maxRunSamples: 2, onRepair: note }));
    expect(joined(out)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(notes).toEqual(["not-finite 1", "not-finite 2"]);
  });

  it("makes a gap of a longer run, counts it, and stamps what follows rightly", () => {
    const { notes, note } = noted();
    const out = run(cut([0, 1, nan, nan, nan, 5, 6], [2]), sanitise({ maxRunSamples: 2, onDrop: note }));
    expect(joined(out)).toEqual([0, 1, 5, 6]);
    expect(out.map((b) => b.startAtNs / ms)).toEqual([0n, 5n, 6n]);
    expect(notes.map((n) => Number(n.split(" ")[1])).reduce((a, b) => a + b, 0)).toBe(3);
  });

  it("bridges each channel on its own", () => {
    const samples = [0, 10, nan, 20, 2, nan, 3, 40];
    const out = run([block(samples, { channels: ["a", "b"] })], sanitise({ maxRunSamples: 2 }));
    expect(joined(out)).toEqual([0, 10, 1, 20, 2, 30, 3, 40]);
  });

  it("leaves out runs at either end, which have nothing to hold on to", () => {
    expect(joined(run(cut([nan, 1, 2, nan], [3]), sanitise({ maxRunSamples: 2 })))).toEqual([1, 2]);
  });

  it("gives nothing of a stream that is NaN all over, and holds none of it", () => {
    const { notes, note } = noted();
    expect(run(cut(new Float32Array(1000).fill(nan), [10]), sanitise({ maxRunSamples: 2, onDrop: note }))).toEqual([]);
    expect(notes.reduce((sum, n) => sum + Number(n.split(" ")[1]), 0)).toBe(1000);
  });

  it("passes clean blocks as they are", () => {
    expect(run(tens, sanitise({ maxRunSamples: 2 }))).toEqual(tens);
  });
});

describe("selectChannels", () => {
  const both = block([1, 2, 3, 4], { channels: ["V1", "MLII"] });

  it("takes channels by name, wherever they stand", () => {
    expect(run([both], selectChannels(["MLII"]))).toEqual([
      { ...both, channels: ["MLII"], samples: Float32Array.of(2, 4) },
    ]);
  });

  it("takes the first ones where it does not know the names", () => {
    expect(joined(run([both], selectChannels(["II"])))).toEqual([1, 3]);
  });

  it("drops a block with too few, and says so", () => {
    const { notes, note } = noted();
    expect(run([both], selectChannels(["a", "b", "c"], note))).toEqual([]);
    expect(notes).toEqual(["channels 2"]);
  });
});
