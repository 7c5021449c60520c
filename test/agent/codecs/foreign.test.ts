import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codecByName, codecNames, type DecodeContext, type DecodeResult } from "../../../agent/codecs/codec.ts";
import type { SampleBlock } from "../../../pipelines/signal.ts";

const receivedAtNs = 1_700_000_000n * 1_000_000_000n;
const context: DecodeContext = { stream: "s", receivedAtNs, topic: "t", settings: { rateHz: 1 } };
const text = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const only = (result: DecodeResult): SampleBlock => {
  if (!result.ok) throw new Error(`${result.error.reason}: ${result.error.detail}`);
  expect(result.blocks).toHaveLength(1);
  return result.blocks[0]!;
};
const reasonOf = (result: DecodeResult) => (result.ok ? "ok" : `${result.error.reason}: ${result.error.detail}`);

describe("every codec", () => {
  it.each(codecNames)("%s never throws, and refuses with a sentence, whatever comes", (name) => {
    const codec = codecByName(name);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.jsonValue().map(text)), (payload) => {
        const result = codec.decode(payload, context);
        if (!result.ok) expect(result.error.detail).toMatch(/expected .*, got .+/s);
      }),
      { numRuns: 500, seed: 6 },
    );
  });
});

describe("the cbor codec", () => {
  const cbor = (hex: string, settings: DecodeContext["settings"] = {}) =>
    codecByName("cbor").decode(Buffer.from(hex.replaceAll(" ", ""), "hex"), { ...context, settings });

  // Written out by hand from RFC 8949 and RFC 8746: {"rate_hz": 2, "samples": 85([1.0, -2.0])}, tag 85 = Float32, little-endian.
  it("reads a map with a typed array", () => {
    const block = only(cbor("a2 67 726174655f687a 02 67 73616d706c6573 d855 48 0000803f 000000c0"));
    expect([block.sampleRateHz, ...block.samples]).toEqual([2, 1, -2]);
  });

  // {"rate_hz": 2, "format": "s16le", "scale": 0.5, "data": h'0200feff'}: 0.5 is the half float f9 3800.
  it("reads counts in a byte string", () => {
    const block = only(
      cbor("a4 67 726174655f687a 02 66 666f726d6174 65 733136 6c65 65 7363616c65 f9 3800 64 64617461 44 0200feff"),
    );
    expect([...block.samples]).toEqual([1, -1]);
  });

  it("refuses what is no map", () => {
    expect(reasonOf(cbor("83 01 02 03"))).toBe(
      "malformed: payload: expected a map with names as keys, got something else",
    );
    expect(reasonOf(cbor("a1"))).toBe("malformed: payload: expected CBOR, got 1 bytes that are none");
  });
});

describe("the readings codec", () => {
  const reading = (...payloads: readonly unknown[]) => {
    const codec = codecByName("readings");
    return payloads.map((payload) => codec.decode(text(payload), context));
  };

  it("takes a plain number as one sample at the settings' rate", () => {
    const block = only(reading("21.5")[0]!);
    expect([block.sampleRateHz, block.channels, [...block.samples]]).toEqual([1, ["signal"], [21.5]]);
  });

  it("learns the channels of the first object; one that is missing later, or null, is NaN", () => {
    const blocks = reading({ flow: 32, id: "a7", p: 1.5 }, { p: 2, flow: null }, { p: 3, extra: 1 }).map(only);
    expect(blocks.map(({ channels }) => channels)).toEqual(Array(3).fill(["flow", "p"]));
    expect(blocks.map(({ samples }) => [...samples])).toEqual([
      [32, 1.5],
      [Number.NaN, 2],
      [Number.NaN, 3],
    ]);
  });

  it("reads the sensor's clock in seconds, ms, µs, ns and ISO 8601", () => {
    const ns = 1_700_000_000_123_000_000n;
    const times = [1_700_000_000.123, 1_700_000_000_123, 1_700_000_000_123_000, "2023-11-14T22:13:20.123Z"];
    for (const time of times) expect(only(reading({ v: 1, time })[0]!).startAtNs).toBe(ns);
    expect(only(reading('{"v": 1, "ts": 1700000000123456789}')[0]!).startAtNs).toBe(1_700_000_000_123_456_789n);
  });

  it("refuses a text where a number should be, a time that is none, and no number at all", () => {
    const [first, wrong, when] = reading({ flow: 1 }, { flow: "high" }, { flow: 1, time: "noon" });
    expect(reasonOf(first!)).toBe("ok");
    expect(reasonOf(wrong!)).toBe("missing-field: payload: expected a number under flow, got none");
    expect(reasonOf(when!)).toBe('wrong-time: time: expected ISO 8601 or a count since 1970, got "noon"');
    expect(reasonOf(reading({ state: "on" })[0]!)).toBe(
      "missing-field: payload: expected a number under a key, got none",
    );
    expect(reasonOf(reading([1, 2])[0]!)).toBe(
      "malformed: payload: expected a number or a flat JSON object, got an array",
    );
  });
});

describe("the fhir codec", () => {
  const fhir = (resource: unknown) => codecByName("fhir").decode(text(resource), context);

  // The shape of the standard's own example "ekg": counts about 2048, 1.612 a count, 10 ms apart.
  const lead = (data: string) => ({ origin: { value: 2048 }, period: 10, factor: 1.612, dimensions: 1, data });

  it("reads an Observation with a component a lead", () => {
    const block = only(
      fhir({
        resourceType: "Observation",
        effectiveDateTime: "2015-02-19T09:30:35+01:00",
        component: [
          {
            code: { coding: [{ code: "131329", display: "MDC_ECG_ELEC_POTL_I" }] },
            valueSampledData: lead("0 10 -10"),
          },
          { code: { text: "II" }, valueSampledData: lead("1 2 E") },
        ],
      }),
    );
    expect(block.channels).toEqual(["MDC_ECG_ELEC_POTL_I", "II"]);
    expect(block.sampleRateHz).toBe(100);
    expect(block.startAtNs).toBe(BigInt(Date.UTC(2015, 1, 19, 8, 30, 35)) * 1_000_000n);
    const expected = [2048, 2049.612, 2064.12, 2051.224, 2031.88, Number.NaN].map(Math.fround);
    expect([...block.samples]).toEqual(expected);
  });

  it("gives potentials in mV, whatever unit they come in, and limits for U and L", () => {
    const data = {
      origin: { value: 0, unit: "uV" },
      interval: 4,
      intervalUnit: "ms",
      upperLimit: 5000,
      data: "1000 -500 U L",
    };
    const block = only(fhir(data));
    expect(block.sampleRateHz).toBe(250);
    expect([...block.samples]).toEqual([1, -0.5, 5, Number.NaN]);
  });

  it("refuses words that are no samples, an unknown unit of time, and leads of different length", () => {
    expect(reasonOf(fhir(lead("1 two 3")))).toBe("wrong-format: data: expected numbers, E, U or L, got two");
    expect(reasonOf(fhir({ ...lead("1"), intervalUnit: "fortnight" }))).toBe(
      "wrong-format: intervalUnit: expected s, ms or us, got fortnight",
    );
    const component = [{ valueSampledData: lead("1 2") }, { valueSampledData: lead("1") }];
    expect(reasonOf(fhir({ component }))).toBe(
      "wrong-format: component: expected 2 samples at 100 Hz in each, got others in lead-2",
    );
  });
});
