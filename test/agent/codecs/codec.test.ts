import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codecByName, type DecodeContext, type DecodeResult, encoderNames } from "../../../agent/codecs/codec.ts";
import { samplesProto } from "../../../agent/codecs/samples-proto.ts";
import type { SampleBlock } from "../../../pipelines/signal.ts";

const second = 1_000_000_000n;
const receivedAtNs = 1_700_000_000n * second;
const context: DecodeContext = {
  stream: "pump",
  receivedAtNs,
  topic: "hall/pump",
  settings: { rateHz: 100, channels: ["c0", "c1"], format: "s16le" },
};
const bare: DecodeContext = { ...context, settings: {} };
const block: SampleBlock = {
  stream: "pump",
  // Not a multiple of 256 ns: a double would change it.
  startAtNs: 1_700_000_000_123_456_789n,
  sampleRateHz: 100,
  channels: ["c0", "c1"],
  samples: Float32Array.of(0.1, -0.25, 1 / 3, 0.5, -1, 0.75),
};
const text = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const only = (result: DecodeResult): SampleBlock => {
  if (!result.ok) throw new Error(`${result.error.reason}: ${result.error.detail}`);
  expect(result.blocks).toHaveLength(1);
  return result.blocks[0]!;
};
const reasonOf = (result: DecodeResult) => (result.ok ? "ok" : result.error.reason);

describe("every codec", () => {
  for (const name of encoderNames) {
    const withTime = name !== "pcm" && name !== "wav";

    it(`${name}: gives back the samples that it wrote, to half a count of 16 bits`, () => {
      const payload = codecByName(name).encode!(block, { format: "s16le" });
      const back = only(codecByName(name).decode(payload, context));
      expect(back.samples.length).toBe(6);
      for (const [i, x] of block.samples.entries())
        expect(Math.abs(back.samples[i]! - x)).toBeLessThanOrEqual(2 ** -16);
      expect([back.stream, back.sampleRateHz, back.channels]).toEqual(["pump", 100, ["c0", "c1"]]);
      if (withTime) expect(back.startAtNs).toBe(block.startAtNs);
    });

    it(`${name}: refuses every beginning of a payload that is not the whole, with a sentence`, () => {
      const payload = codecByName(name).encode!(block);
      // Raw samples have no end of their own: what is cut at a whole row is a shorter block.
      const rowBytes = name === "pcm" ? 4 : Number.POSITIVE_INFINITY;
      for (let length = 0; length < payload.length; length++) {
        const result = codecByName(name).decode(payload.subarray(0, length), context);
        if (length > 0 && length % rowBytes === 0) continue;
        expect(result.ok, `${length} of ${payload.length} bytes`).toBe(false);
        if (!result.ok) expect(result.error.detail).toMatch(/^[\w.]+: .*expected .*, got .+/);
      }
    });

    it(`${name}: never throws, whatever comes`, () => {
      const codec = codecByName(name);
      const good = codec.encode!(block);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.boolean(), (bytes, at, isBare) => {
          const broken = good.slice();
          broken.set(bytes.subarray(0, Math.min(4, good.length)), at % Math.max(1, good.length - 4));
          for (const payload of [bytes, broken, text(`{"samples":${JSON.stringify([...bytes])}}`)]) {
            const result = codec.decode(payload, isBare ? bare : context);
            if (!result.ok) continue;
            for (const { sampleRateHz, startAtNs, samples, channels } of result.blocks) {
              expect(sampleRateHz).toBeGreaterThanOrEqual(0.001);
              expect(startAtNs).toBeGreaterThanOrEqual(0n);
              expect(samples.length % channels.length).toBe(0);
            }
          }
        }),
        { numRuns: 300, seed: 5 },
      );
    });

    it(`${name}: refuses what is empty or larger than 4 MiB`, () => {
      expect(reasonOf(codecByName(name).decode(new Uint8Array(), context))).toBe("empty");
      expect(reasonOf(codecByName(name).decode(new Uint8Array(4 * 2 ** 20 + 1), context))).toBe("too-large");
    });
  }

  it("has a name that is known; others are refused with the list of them", () => {
    expect(() => codecByName("toString")).toThrow(
      "codec: expected one of protobuf, json, cbor, readings, fhir, sparkplug-b, pcm, wav, mfcc, got toString",
    );
  });
});

describe("the protobuf chunk and its JSON twin", () => {
  const decodeBoth = (options: Parameters<NonNullable<ReturnType<typeof codecByName>["encode"]>>[1]) =>
    ["protobuf", "json"].map((name) => only(codecByName(name).decode(codecByName(name).encode!(block, options), bare)));

  it("give the same block bit for bit, in each format", () => {
    for (const format of ["s16le", "s24le", "f32le"] as const) {
      const [proto, json] = decodeBoth({ format, scale: 0.001, unit: "mV", session: "a", seq: 7 });
      expect(json).toEqual(proto);
    }
    const [proto, json] = decodeBoth({});
    expect(proto).toEqual(block);
    expect(json).toEqual(block);
  });

  it("keep NaN for the pipeline to see", () => {
    const samples = Float32Array.of(1, Number.NaN, 3, Number.NaN);
    for (const name of ["protobuf", "json"]) {
      const payload = codecByName(name).encode!({ ...block, samples });
      expect(only(codecByName(name).decode(payload, bare)).samples).toEqual(samples);
    }
    expect([...only(codecByName("json").decode(text('{"samples":[1,null,"NaN"],"rate_hz":1}'), bare)).samples]).toEqual(
      [1, Number.NaN, Number.NaN],
    );
  });

  it("are described by samples.proto as it lies beside the code", () => {
    expect(samplesProto).toBe(readFileSync(new URL("../../../agent/codecs/samples.proto", import.meta.url), "utf8"));
  });

  it("read the bytes of a protobuf that was written by hand from the wire format", () => {
    const chunk = [
      ...[0x20, 0x80, 0x94, 0xeb, 0xdc, 0x03], // t0_ns = 1,000,000,000
      ...[0x29, 0, 0, 0, 0, 0, 0, 0x69, 0x40], // rate_hz = 200
      ...[0x32, 0x01, 0x78], // channels = ["x"]
      ...[0x38, 0x01], // format = s16le
      ...[0x41, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f], // scale = 0.5
      ...[0x50, 0x02], // n = 2
      ...[0x7a, 0x04, 0x02, 0x00, 0xff, 0xff], // data = 2, −1
    ];
    expect(only(codecByName("protobuf").decode(Uint8Array.from(chunk), bare))).toEqual({
      stream: "pump",
      startAtNs: second,
      sampleRateHz: 200,
      channels: ["x"],
      samples: Float32Array.of(1, -0.5),
    });
  });

  it("say by a word and a sentence what is wrong with a field", () => {
    const good = { t0_ns: "5", rate_hz: 10, channels: ["a"], samples: [1, 2], n: 2 };
    const cases: [Record<string, unknown>, string, string][] = [
      [{ rate_hz: 0 }, "wrong-rate", "rate_hz: expected 0.001 … 1000000 Hz, got 0"],
      [{ rate_hz: 2e6 }, "wrong-rate", "rate_hz: expected 0.001 … 1000000 Hz, got 2000000"],
      [{ rate_hz: "fast" }, "wrong-rate", 'rate_hz: expected a number, got "fast"'],
      [{ rate_hz: null }, "missing-field", "rate_hz: expected a rate in the payload or the settings, got none"],
      [{ t0_ns: -1 }, "wrong-time", "t0_ns: expected nanoseconds since 1970, up to 2262, got -1"],
      [{ t0_ns: "9223372036854775807" }, "wrong-time", "up to 2262"],
      [{ t0_ns: 1.5 }, "wrong-time", "t0_ns: expected a whole number"],
      [{ channels: [] }, "wrong-channels", "channels: expected 1 … 64 names, got 0"],
      [{ channels: ["a", "a"] }, "wrong-channels", "each once"],
      [{ channels: Array.from({ length: 65 }, (_, i) => `c${i}`) }, "wrong-channels", "got 65"],
      [{ n: 3 }, "wrong-length", "data: expected 3 × 1 samples, got 2"],
      [{ channels: ["a", "b", "c"], n: undefined }, "wrong-length", "whole rows"],
      [{ samples: [], n: undefined }, "empty", "data: expected at least one sample, got none"],
      [{ samples: ["x"] }, "wrong-format", 'samples: expected numbers or null, got "x"'],
      [{ samples: [[1, 2], [3]] }, "wrong-length", "samples: expected rows of 2 numbers"],
      [{ samples: undefined }, "missing-field", "samples: expected an array of numbers, or data, got nothing"],
      [{ samples: undefined, data: "!!!!", format: "s16le" }, "malformed", "data: expected base64"],
      [{ samples: undefined, data: "AAAA", format: "s16le" }, "wrong-length", "whole samples of 2 bytes, got 3 bytes"],
      [{ samples: undefined, data: "AAAA" }, "missing-field", "format: expected s16le, s24le or f32le, got none"],
      [{ samples: undefined, data: "AAAA", format: "mp3" }, "wrong-format", 'got "mp3"'],
      [{ scale: 0 }, "wrong-scale", "scale: expected a number that is not 0, got 0"],
      [{ flags: ["loud"] }, "wrong-format", "flags: expected an array of lead_off"],
    ];
    for (const [change, reason, sentence] of cases) {
      const result = codecByName("json").decode(text({ ...good, ...change }), bare);
      expect(reasonOf(result), sentence).toBe(reason);
      expect(!result.ok && result.error.detail).toContain(sentence);
    }
    for (const other of ["hello", "[1,2]", "null", '"x"', "{"]) {
      expect(reasonOf(codecByName("json").decode(text(other), bare)), other).toBe("malformed");
    }
  });

  it("take whole nanoseconds from a JSON number, rows of samples, and NaN while a lead is off", () => {
    const payload = '{"t0_ns": 1700000000123456789, "rate_hz": 2, "channels": ["a","b"], "samples": [[1,2],[3,4]]';
    const back = only(codecByName("json").decode(text(`${payload}}`), bare));
    expect([back.startAtNs, [...back.samples]]).toEqual([1_700_000_000_123_456_789n, [1, 2, 3, 4]]);
    const off = only(codecByName("json").decode(text(`${payload},"flags":["lead_off"]}`), bare));
    expect([...off.samples]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
  });
});

describe("codecs without a clock", () => {
  const seconds = (n: number) => BigInt(Math.round(n * 1e9));
  const receive = (codec: ReturnType<typeof codecByName>, atSeconds: number) =>
    only(codec.decode(new Uint8Array(400), { ...context, receivedAtNs: receivedAtNs + seconds(atSeconds) })).startAtNs -
    receivedAtNs;

  it("begin one block before the receipt, follow without gaps, and begin anew after a pause of two seconds", () => {
    const codec = codecByName("pcm");
    // Blocks of one second: the first ends as it is received.
    expect([1, 2.3, 2.9, 4, 7.1, 8].map((at) => receive(codec, at))).toEqual([0, 1, 2, 3, 6.1, 7.1].map(seconds));
  });

  it("follow on in WAV and in chunks that leave out their time", () => {
    for (const [name, payload] of [
      ["wav", codecByName("wav").encode!(block)],
      [
        "json",
        text({
          samples: [
            [1, 2],
            [1, 2],
            [1, 2],
          ],
        }),
      ],
    ] as const) {
      const codec = codecByName(name);
      const first = only(codec.decode(payload, context));
      const second = only(codec.decode(payload, context));
      expect(first.startAtNs).toBe(receivedAtNs - 30_000_000n);
      expect(second.startAtNs).toBe(receivedAtNs);
    }
  });

  it("need the rate from the settings where the payload is raw", () => {
    const result = codecByName("pcm").decode(new Uint8Array(4), bare);
    expect(reasonOf(result)).toBe("missing-field");
  });

  it("refuse a WAV of other channels than the settings say", () => {
    const mono = codecByName("wav").encode!({ ...block, channels: ["a"] });
    expect(reasonOf(codecByName("wav").decode(mono, context))).toBe("wrong-channels");
    expect(only(codecByName("wav").decode(mono, bare)).channels).toEqual(["signal"]);
  });
});

describe("the mfcc codec", () => {
  const decode = (change: Partial<SampleBlock>, settings: DecodeContext["settings"] = {}) =>
    codecByName("mfcc").decode(codecByName("mfcc").encode!({ ...block, ...change }), { ...bare, settings });

  it("takes frames at 100 Hz whose channels are the coefficients in order, as protobuf or JSON", () => {
    expect(only(decode({})).channels).toEqual(["c0", "c1"]);
    expect(only(codecByName("mfcc").decode(codecByName("json").encode!(block), bare)).samples).toEqual(block.samples);
  });

  it("refuses another rate, other names and another count of coefficients", () => {
    expect(reasonOf(decode({ sampleRateHz: 50 }))).toBe("wrong-rate");
    expect(reasonOf(decode({ sampleRateHz: 50 }, { rateHz: 50 }))).toBe("ok");
    expect(reasonOf(decode({ channels: ["c1", "c0"] }))).toBe("wrong-channels");
    expect(reasonOf(decode({}, { channels: ["c0", "c1", "c2"] }))).toBe("wrong-channels");
  });
});
