import { describe, expect, it } from "vitest";
import { RecentSamples } from "../../pipelines/recent-samples.ts";
import { bytesInUse } from "../fuzz/memory.ts";

const startAtNs = 1_700_000_000_000_000_000n;
/** One message of a slow logger: a row of two channels. */
const reading = (second: number) => ({
  stream: "pump",
  startAtNs: startAtNs + BigInt(second) * 1_000_000_000n,
  sampleRateHz: 1,
  channels: ["pressure", "flow"],
  samples: Float32Array.of(second, -second),
});

describe("What is remembered of a slow sensor, one row a message", () => {
  it("takes little more memory than its numbers, however long it goes on", () => {
    const recent = new RecentSamples({ maxValues: 160_000 });
    for (let second = 0; second < 1000; second++) recent.add(reading(second));
    const before = bytesInUse();
    for (let second = 1000; second < 100_000; second++) recent.add(reading(second));
    // 160,000 numbers of four bytes are 0.64 MB; a block for each row would be 32.
    expect(bytesInUse() - before).toBeLessThan(1_500_000);
    const evidence = recent.cut(startAtNs + 50_000_000_000_000n, startAtNs + 50_003_000_000_000n);
    expect(evidence).toMatchObject({ startAtNs: startAtNs + 50_000_000_000_000n, sampleRateHz: 1 });
    expect([...evidence!.samples]).toEqual([50_000, -50_000, 50_001, -50_001, 50_002, -50_002]);
  });

  it("is cut across joined rows, but never across a gap", () => {
    const recent = new RecentSamples({ maxValues: 1000 });
    for (const second of [0, 1, 2, 10, 11, 12]) recent.add(reading(second));
    expect([...recent.cut(startAtNs, startAtNs + 20_000_000_000n)!.samples]).toEqual([10, -10, 11, -11, 12, -12]);
    expect([...recent.cut(startAtNs, startAtNs + 3_000_000_000n)!.samples]).toEqual([0, -0, 1, -1, 2, -2]);
  });
});
