import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCsv } from "../../../agent/recordings/csv.ts";
import { openRecording } from "../../../agent/recordings/open.ts";
import { lengthSamples } from "../../../agent/recordings/recording.ts";
import { dataDir } from "../../support/data.ts";

const second = 1_000_000_000n;

describe("readCsv", () => {
  it("splits labels from signals and begins a segment where a second is missing", () => {
    const recording = readCsv(
      "datetime;A;B;anomaly;changepoint\n2020-03-09 10:14:33;1;2;0.0;0.0\n2020-03-09 10:14:34;3;;1.0;1.0\n2020-03-09 10:14:36;5;NaN;1.0;0.0\n",
      { name: "pump.csv" },
    );
    const start = BigInt(Date.UTC(2020, 2, 9, 10, 14, 33)) * 1_000_000n;
    expect(recording.channels).toEqual(["A", "B"]);
    expect(recording.sampleRateHz).toBe(1);
    expect(recording.segments).toEqual([
      { startAtNs: start, samples: Float32Array.of(1, 2, 3, Number.NaN) },
      { startAtNs: start + 3n * second, samples: Float32Array.of(5, Number.NaN) },
    ]);
    expect(recording.labels).toEqual({ anomaly: Float32Array.of(0, 1, 1), changepoint: Float32Array.of(0, 1, 0) });
    expect(recording.stream).toBe("pump");
  });

  it("reads commas, tabs and semicolons with decimal commas alike", () => {
    for (const text of ["t,x\n0,1.5\n0.5,2.5", "t\tx\n0\t1.5\n0.5\t2.5", "t;x\n0;1,5\n0,5;2,5".replace("0,5", "0.5")]) {
      const recording = readCsv(text, { name: "x.csv" });
      expect([...(recording.segments[0]?.samples ?? [])], text).toEqual([1.5, 2.5]);
      expect(recording.sampleRateHz).toBe(2);
    }
  });

  it("reads times as seconds or milliseconds since 1970, with zones and fractions", () => {
    const startOf = (cell: string) => readCsv(`time,x\n${cell},1`, { name: "x.csv" }).segments[0]?.startAtNs;
    expect(startOf("1700000000")).toBe(1_700_000_000n * second);
    expect(startOf("1700000000250")).toBe(1_700_000_000n * second + 250_000_000n);
    expect(startOf("2023-11-14T22:13:20Z")).toBe(1_700_000_000n * second);
    expect(startOf("2023-11-14 23:13:20.000000007+01:00")).toBe(1_700_000_000n * second + 7n);
  });

  it("begins a segment where stamps have drifted half an interval away from the rate", () => {
    const rows = Array.from({ length: 50 }, (_, i) => `${Math.round(i * 1.2)},${i}`);
    // The median interval is 1 s, the true one 1.2 s.
    expect(readCsv(`t,x\n${rows.join("\n")}`, { name: "x.csv" }).segments.length).toBeGreaterThan(1);
  });

  it("leaves out columns of words, but names the line of a word among numbers", () => {
    expect(readCsv("x,site\n1,north\n2,south", { name: "x.csv" }).channels).toEqual(["x"]);
    expect(() => readCsv("x\n1\nfoo", { name: "x.csv" })).toThrow(
      'x.csv:3: expected a number in column "x", got "foo"',
    );
  });

  it("says what it expected of tables that it cannot read", () => {
    for (const text of ["", "a;b", "1,2\n3,4", "t,x\nyesterday,1", "a,b\n1", "name\nx"]) {
      expect(() => readCsv(text, { name: "x.csv" }), text).toThrow(/^x\.csv:\d+: expected .*, got /);
    }
  });
});

describe.skipIf(dataDir === undefined)("tables of others (skipped where $OHMWATCH_DATA is missing)", () => {
  it("of SKAB have eight channels at 1 Hz and one label a row", async () => {
    const recording = await openRecording(join(dataDir ?? "", "skab/valve1/0.csv"));
    expect(recording.channels).toHaveLength(8);
    expect(recording.sampleRateHz).toBe(1);
    expect(lengthSamples(recording)).toBe(1147);
    expect(recording.labels?.["anomaly"]).toHaveLength(1147);
  });

  it("of NAB have one channel every five minutes", async () => {
    const recording = await openRecording(join(dataDir ?? "", "nab/data/artificialNoAnomaly/art_flatline.csv"));
    expect([recording.channels, recording.sampleRateHz, recording.segments.length]).toEqual([["value"], 1 / 300, 1]);
  });
});
