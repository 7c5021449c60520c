import { pipe } from "rxjs";
import { describe, expect, it } from "vitest";
import { ClockFit } from "../../../pipelines/dsp/clock-fit.ts";
import { orderBySequence } from "../../../pipelines/operators/order-by-sequence.ts";
import { steady } from "../../../pipelines/operators/steady.ts";
import type { SampleBlock } from "../../../pipelines/signal.ts";
import { block, joined, noise, run } from "../blocks.ts";

const nominalHz = 130;
const packetRows = 73;
const beginNs = 1_700_000_000_000_000_000n;

/** R peaks of a heart with an irregular rhythm, s. */
const peaksWithin = (seconds: number): number[] => {
  const jitter = noise(2000, 5);
  const peaks = [0.6];
  while (peaks.at(-1)! < seconds) peaks.push(peaks.at(-1)! + 0.8 + 0.25 * jitter[peaks.length]!);
  return peaks;
};

/** A Polar H10: says 130 Hz, runs at another rate, stamps the last of 73 samples with ± 4 ms, numbers its packets. */
const polar = ({ rateHz, seconds }: { readonly rateHz: number; readonly seconds: number }): SampleBlock[] => {
  const peaks = peaksWithin(seconds);
  const jitter = noise(10_000, 9);
  const ecg = (t: number) =>
    peaks.reduce((sum, peak) => sum + (Math.abs(t - peak) < 0.2 ? Math.exp(-(((t - peak) / 0.012) ** 2)) : 0), 0);
  return Array.from({ length: Math.floor((seconds * rateHz) / packetRows) }, (_, packet) => {
    const firstRow = packet * packetRows;
    const lastSeconds = (firstRow + packetRows - 1) / rateHz + 0.004 * jitter[packet]!;
    const stampNs = beginNs + BigInt(Math.round(lastSeconds * 1e9));
    return {
      ...block(
        Float32Array.from({ length: packetRows }, (_, i) => ecg((firstRow + i) / rateHz)),
        { rateHz: nominalHz },
      ),
      startAtNs: stampNs - BigInt(Math.round(((packetRows - 1) / nominalHz) * 1e9)),
      sequence: { session: "a", number: packet + 1 },
    };
  });
};

/** Times of the maxima above a half, s since the beginning, by a parabola through the three highest samples. */
const peakTimes = (blocks: readonly SampleBlock[]): number[] =>
  runsOf(blocks).flatMap(({ fromSeconds, samples }) => {
    const times: number[] = [];
    for (let i = 1; i < samples.length - 1; i++) {
      const [a, b, c] = [samples[i - 1]!, samples[i]!, samples[i + 1]!];
      if (b > 0.5 && b > a && b >= c) times.push(fromSeconds + (i + (0.5 * (a - c)) / (a - 2 * b + c)) / nominalHz);
    }
    return times;
  });

/** Gapless runs of blocks, joined. */
const runsOf = (blocks: readonly SampleBlock[]) => {
  const runs: { fromSeconds: number; samples: number[] }[] = [];
  for (const { startAtNs, samples } of blocks) {
    const fromSeconds = Number(startAtNs - beginNs) / 1e9;
    const last = runs.at(-1);
    const goesOn =
      last !== undefined && Math.abs(last.fromSeconds + last.samples.length / nominalHz - fromSeconds) < 1e-6;
    if (goesOn) last.samples.push(...samples);
    else runs.push({ fromSeconds, samples: [...samples] });
  }
  return runs;
};

const errorsOf = (found: readonly number[], truth: readonly number[]): number[] =>
  found.map((time) => Math.min(...truth.map((peak) => Math.abs(peak - time))));

const stamps = "last";
const ordered = (notes: string[] = []) => {
  const onDrop = (reason: string, samples: number) => notes.push(`${reason} ${samples}`);
  return pipe(orderBySequence({ windowBlocks: 4, onDrop }), steady({ stamps, onDrop, onRepair: onDrop }));
};

describe.each([127.4, 129.2, 130, 131.5, 132.6])("A Polar H10 that runs at %d Hz and says 130", (rateHz) => {
  it("has its R peaks within a sample of where they were, the first packets included", () => {
    const found = peakTimes(run(polar({ rateHz, seconds: 300 }), ordered()));
    const truth = peaksWithin(300).filter((peak) => peak < 298);
    expect(found.length).toBeGreaterThanOrEqual(truth.length);
    expect(Math.max(...errorsOf(found, truth.concat(peaksWithin(300))))).toBeLessThan(1 / nominalHz);
    expect(runsOf(run(polar({ rateHz, seconds: 300 }), ordered()))).toHaveLength(1);
  });

  it("has its rate known to 0.1 % after half a minute", () => {
    const fit = new ClockFit({ nominalHz, tolerance: 0.05, size: 64 });
    polar({ rateHz, seconds: 60 }).forEach(({ startAtNs }, packet) => {
      fit.add(packet * packetRows + packetRows - 1, Number(startAtNs - beginNs) / 1e9);
      if (packet * packetRows > 30 * rateHz) expect(Math.abs(fit.rateHz / rateHz - 1)).toBeLessThan(0.001);
    });
  });

  it("may lose its clock to 2019 in the middle: the time goes on, and what was said so is counted", () => {
    const notes: string[] = [];
    const sent = polar({ rateHz, seconds: 120 }).map((packet, i) =>
      i < 100 ? packet : { ...packet, startAtNs: packet.startAtNs - 4n * 365n * 86_400n * 1_000_000_000n },
    );
    const out = run(sent, ordered(notes));
    expect(notes).toEqual(["clock 73"]);
    expect(runsOf(out)).toHaveLength(1);
    const truth = peaksWithin(120);
    expect(Math.max(...errorsOf(peakTimes(out), truth))).toBeLessThan(1 / nominalHz);
  });

  it("may send packets twice, in another order, and lose some: no peak is moved, and all is counted", () => {
    const notes: string[] = [];
    const packets = polar({ rateHz, seconds: 120 });
    const order = packets.flatMap((_, i) =>
      i % 10 === 3 ? [i + 1, i] : i % 10 === 4 ? [] : i % 17 === 5 ? [i, i] : [i],
    );
    const lost = new Set([60, 61, 150]);
    const sent = order.filter((i) => !lost.has(i) && i < packets.length).map((i) => packets[i]!);
    const out = run([...sent.slice(0, -1), packets[20]!, sent.at(-1)!], ordered(notes));
    expect(notes.filter((note) => note === "repeated 73").length).toBeGreaterThan(5);
    expect(notes.filter((note) => note === "late 73")).toHaveLength(1); // packet 20, which the memory of 64 has forgotten
    expect(runsOf(out)).toHaveLength(3);
    expect(Math.max(...errorsOf(peakTimes(out), peaksWithin(120)))).toBeLessThan(1 / nominalHz);
    const truth = peaksWithin(120).filter((peak) => peak < 118);
    const heard = truth.filter((peak) => errorsOf([peak], peakTimes(out))[0]! < 1 / nominalHz);
    expect(truth.length - heard.length).toBeLessThanOrEqual(4); // those in the three packets that were lost
  });
});

describe("steady", () => {
  it("gives back an exact clock's samples as they are, to the resampler's 80 dB", () => {
    const rows = Float32Array.from({ length: 1000 }, (_, i) => Math.sin((2 * Math.PI * i) / 40));
    const blocks = Array.from({ length: 10 }, (_, i) =>
      block(rows.slice(100 * i, 100 * i + 100), { startAtNs: BigInt(i) * 100_000_000n }),
    );
    const out = joined(run(blocks, steady({ stamps: "first" })));
    expect(out).toHaveLength(1000);
    const inner = out.map((x, i) => Math.abs(x - rows[i]!)).slice(40, -40); // beyond the ends the last sample is held
    expect(Math.max(...inner)).toBeLessThan(1e-4);
  });

  it("makes a gap of a stamp that is ahead where the sender gives no numbers, and drops one that is behind as late", () => {
    const notes: string[] = [];
    const at = (second: number) => block(noise(1000), { startAtNs: BigInt(second) * 1_000_000_000n });
    const onDrop = (reason: string, samples: number) => notes.push(`${reason} ${samples}`);
    const out = run([at(0), at(1), at(5), at(3), at(6)], steady({ stamps: "first", onDrop }));
    expect(notes).toEqual(["late 1000"]);
    const starts = out.map(({ startAtNs }) => Number(startAtNs) / 1e9);
    expect(starts).toContainEqual(expect.closeTo(5, 3));
    expect(joined(out)).toHaveLength(4000);
  });
});
