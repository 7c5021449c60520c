import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aamiClassOf } from "../../../agent/recordings/aami.ts";
import { openRecording } from "../../../agent/recordings/open.ts";
import { RecordingError } from "../../../agent/recordings/recording.ts";
import { decodeSignals, encodeSignals, parseHeader, readWfdb } from "../../../agent/recordings/wfdb.ts";
import { decodeAnnotations, encodeAnnotations } from "../../../agent/recordings/wfdb-annotations.ts";
import { dataDir } from "../../support/data.ts";

const at360 = { startAtNs: 0n, sampleRateHz: 360, name: "x.atr" };

describe("parseHeader", () => {
  it("reads gain, baseline, unit, offset, start and name of a signal", () => {
    const header = parseHeader(
      "# a comment\nx 1 257.5/360(0) 20 10:20:30.5 24/12/1999\nx.dat 16+512 102.4(-7)/uV 12 0 3 -99 0 chest lead\n",
      "x.hea",
    );
    expect(header).toEqual({
      record: "x",
      sampleRateHz: 257.5,
      samples: 20,
      startAtNs: BigInt(Date.UTC(1999, 11, 24, 10, 20, 30, 500)) * 1_000_000n,
      signals: [
        {
          file: "x.dat",
          format: 16,
          offsetBytes: 512,
          gain: 102.4,
          baseline: -7,
          unit: "uV",
          checksum: -99,
          description: "chest lead",
        },
      ],
    });
  });

  it("takes 200 codes a millivolt and the ADC's zero where the header leaves them out", () => {
    expect(parseHeader("x 1\nx.dat 16 0 12 5", "x.hea").signals[0]).toMatchObject({
      gain: 200,
      baseline: 5,
      unit: "mV",
    });
  });

  it("says what it expected of headers that it does not read", () => {
    for (const text of [
      "",
      "x",
      "x/3 2 360",
      "x 2 360\nx.dat 16",
      "x 1 360\nx.dat 80",
      "x 1 0\nx.dat 16",
      "x 1 360\nx.dat 212x2",
    ]) {
      expect(() => parseHeader(text, "x.hea"), text).toThrow(/^x\.hea: expected .*, got /);
    }
  });
});

describe("decodeSignals", () => {
  it("unpacks two 12-bit codes from three bytes as signal(5) draws them, and the lowest code means no value", () => {
    expect([...decodeSignals(Uint8Array.of(0x34, 0xf2, 0xff, 0x00, 0x78, 0xff), 212)]).toEqual([
      0x234,
      -1,
      Number.NaN,
      0x7ff,
    ]);
    expect([...decodeSignals(Uint8Array.of(0xff, 0x7f, 0x00, 0x80), 16)]).toEqual([32767, Number.NaN]);
  });

  it("gives back every code that was packed, for even and odd lengths", () => {
    const codes = Array.from({ length: 4095 }, (_, i) => i - 2047);
    expect([...decodeSignals(encodeSignals(codes, 212), 212)]).toEqual(codes);
    expect([...decodeSignals(encodeSignals([...codes, 7], 212), 212)]).toEqual([...codes, 7]);
    expect([...decodeSignals(encodeSignals(codes, 16), 16)]).toEqual(codes);
  });
});

describe("decodeAnnotations", () => {
  it("gives back what was written: long pauses, rhythm texts, every kind of mark", () => {
    const marks = [
      { sample: 18, symbol: "+", aux: "(N" },
      { sample: 77, symbol: "N", aux: "" },
      { sample: 1100, symbol: "V", aux: "odd" },
      { sample: 1_000_000, symbol: "/", aux: "" },
      { sample: 1_000_000, symbol: "~", aux: "" },
    ];
    const back = decodeAnnotations(encodeAnnotations(marks), at360);
    expect(back.map(({ sample, symbol, aux }) => ({ sample, symbol, aux }))).toEqual(marks);
    expect(back[3]?.atNs).toBe(2_777_777_777_778n);
  });

  it("says where a file breaks off in the middle of a mark", () => {
    const bytes = encodeAnnotations([{ sample: 5000, symbol: "N", aux: "long" }]);
    for (const length of [1, 3, 4, bytes.length - 3]) {
      expect(() => decodeAnnotations(bytes.subarray(0, length), at360), String(length)).toThrow(RecordingError);
    }
  });
});

describe("readWfdb", () => {
  it("puts signals of several files side by side, in physical units", async () => {
    const header = parseHeader("x 2 100 2\na.dat 16 10(1)/mV\nb.dat 212 2(0)/bar", "x.hea");
    const files: Record<string, Uint8Array> = {
      "a.dat": encodeSignals([11, -9], 16),
      "b.dat": encodeSignals([4, -2048], 212),
    };
    const recording = await readWfdb(header, { readBeside: async (file) => files[file] ?? new Uint8Array() });
    expect([...(recording.segments[0]?.samples ?? [])]).toEqual([1, 2, -1, Number.NaN]);
    expect(recording.units).toEqual(["mV", "bar"]);
  });

  it("says when a file is shorter than its header promises", async () => {
    const header = parseHeader("x 1 100 5\na.dat 16", "x.hea");
    const read = readWfdb(header, { readBeside: async () => encodeSignals([1, 2], 16) });
    await expect(read).rejects.toThrow("a.dat: expected 5 samples a signal as in the header, got 2");
  });
});

describe.skipIf(dataDir === undefined)("MIT-BIH records (skipped where $OHMWATCH_DATA is missing)", () => {
  const folder = join(dataDir ?? "", "mitdb");

  it("sum to the checksum in their headers, both leads of each", () => {
    for (const record of ["100", "207", "233"]) {
      const header = parseHeader(readFileSync(join(folder, `${record}.hea`), "latin1"), record);
      const codes = decodeSignals(readFileSync(join(folder, `${record}.dat`)), 212);
      for (const [lead, { checksum }] of header.signals.entries()) {
        let sum = 0;
        for (let i = lead; i < 2 * 650000; i += 2) sum = (sum + codes[i]!) | 0;
        expect((sum << 16) >> 16).toBe(checksum);
      }
    }
  });

  it("hold the beats that the database's own table counts for record 200: 1743 N, 30 A, 826 V, 2 F", async () => {
    const { annotations = [], sampleRateHz, channels, segments } = await openRecording(join(folder, "200"));
    const count = (symbol: string) => annotations.filter((mark) => mark.symbol === symbol).length;
    expect(["N", "A", "V", "F"].map(count)).toEqual([1743, 30, 826, 2]);
    expect([sampleRateHz, channels, segments[0]?.samples.length]).toEqual([360, ["MLII", "V1"], 1_300_000]);
  });

  it("fall into the AAMI classes of de Chazal 2004 for record 208", async () => {
    const { annotations = [] } = await openRecording(join(folder, "208.dat"));
    const count = (name: string) => annotations.filter(({ symbol }) => aamiClassOf(symbol) === name).length;
    expect(["N", "S", "V", "F", "Q"].map(count)).toEqual([1586, 2, 992, 373, 2]);
  });
});
