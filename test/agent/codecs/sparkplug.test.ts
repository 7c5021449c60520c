import { readFileSync } from "node:fs";
import fc from "fast-check";
import { decodePayload, encodePayload, type UMetric, type UPayload } from "sparkplug-payload/lib/sparkplugbpayload.js";
import { describe, expect, it } from "vitest";
import { codecByName, type DecodeContext, type DecodeResult } from "../../../agent/codecs/codec.ts";
import { type Datatype, datatypes } from "../../../agent/codecs/sparkplug/datatypes.ts";
import {
  decodeSparkplug,
  encodeSparkplug,
  type Metric,
  type MetricValue,
} from "../../../agent/codecs/sparkplug/payload.ts";
import { sparkplugProto } from "../../../agent/codecs/sparkplug/sparkplug-proto.ts";
import { parseTopic } from "../../../agent/codecs/sparkplug/topic.ts";

/** A 64-bit integer of the oracle, which has them as Long, and an Int64 as if it had no sign. */
const bigOf = (value: unknown, datatype?: string | null): unknown => {
  if (typeof value !== "object" || value === null || !("low" in value)) return value;
  const { low, high } = value as { low: number; high: number };
  const whole = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return datatype === "Int64" ? BigInt.asIntN(64, whole) : whole;
};

type Scalar = readonly [Datatype, fc.Arbitrary<MetricValue>];
const scalars: readonly Scalar[] = [
  ["Int8", fc.integer({ min: -128, max: 127 })],
  ["Int16", fc.integer({ min: -32_768, max: 32_767 })],
  ["Int32", fc.integer()],
  ["UInt8", fc.nat(255)],
  ["UInt16", fc.nat(65_535)],
  ["Int64", fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ["UInt64", fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
  ["DateTime", fc.bigInt({ min: 0n, max: 2n ** 62n })],
  ["Float", fc.float({ noNaN: true })],
  ["Double", fc.double({ noNaN: true })],
  ["Boolean", fc.boolean()],
  ["String", fc.string({ unit: "grapheme" })],
  ["Text", fc.string()],
  ["Bytes", fc.uint8Array({ maxLength: 20 })],
];
type Whole = Metric & {
  readonly name: string;
  readonly datatype: Datatype;
  readonly alias: number;
  readonly timestampMs: number;
  readonly isHistorical: boolean;
};
const metric: fc.Arbitrary<Whole> = fc.oneof(
  ...scalars.map(([datatype, value]) =>
    fc.record({
      name: fc.string({ minLength: 1, unit: "grapheme" }),
      alias: fc.nat(),
      timestampMs: fc.nat({ max: 2 ** 52 }),
      datatype: fc.constant(datatype),
      isHistorical: fc.boolean(),
      value: fc.oneof({ weight: 5, arbitrary: value }, fc.constant(null)),
    }),
  ),
);
const payload = fc.record({ timestampMs: fc.nat({ max: 2 ** 52 }), seq: fc.nat(255), metrics: fc.array(metric) });

describe("The payload of Sparkplug B, against sparkplug-payload 1.0.3", () => {
  it("is read there as it was written here, for every scalar type", () => {
    fc.assert(
      fc.property(payload, (sent) => {
        const read = decodePayload(encodeSparkplug(sent));
        expect(bigOf(read.timestamp)).toBe(BigInt(sent.timestampMs));
        expect(bigOf(read.seq)).toBe(BigInt(sent.seq));
        const metrics = (read.metrics ?? []).map((m) => ({
          name: m.name,
          alias: Number(bigOf(m.alias)),
          timestampMs: Number(bigOf(m.timestamp)),
          datatype: m.type,
          isHistorical: m.isHistorical ?? false,
          value: bigOf(m.value instanceof Uint8Array ? new Uint8Array(m.value) : m.value, m.type),
        }));
        expect(metrics).toEqual(sent.metrics);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it("is read here as it was written there", () => {
    fc.assert(
      fc.property(payload, (sent) => {
        const there: UPayload = {
          timestamp: sent.timestampMs,
          seq: sent.seq,
          metrics: sent.metrics.map(
            ({ name, alias, timestampMs, datatype, isHistorical, value }): UMetric => ({
              name,
              alias,
              timestamp: timestampMs,
              type: datatype as UMetric["type"],
              isHistorical,
              value: (typeof value === "bigint" ? longOf(value) : value) as UMetric["value"],
            }),
          ),
        };
        const { metrics, seq, timestampMs } = decodeSparkplug(encodePayload(there));
        expect([seq, timestampMs]).toEqual([sent.seq, sent.timestampMs]);
        expect(
          metrics.map(({ raw: _, properties: __, value, isHistorical, ...rest }) => ({
            ...rest,
            isHistorical: isHistorical ?? false,
            value: value instanceof Uint8Array ? new Uint8Array(value) : value,
          })),
        ).toEqual(sent.metrics);
      }),
      { numRuns: 500, seed: 2 },
    );
  });

  // It knows no arrays: the bytes were packed by hand, Sparkplug B 3.0, 6.4.17.
  it.each([
    ["Int16Array", [1, -2, 300], "0100feff2c01"],
    ["FloatArray", [1, -2], "0000803f000000c0"],
    ["Int8Array", [-1, 5], "ff05"],
    ["UInt32Array", [4_294_967_295], "ffffffff"],
    ["Int64Array", [-2], "feffffffffffffff"],
    ["DoubleArray", [0.5], "000000000000e03f"],
  ] as const)("packs %s little-endian into bytes, as written out by hand", (datatype, numbers, hex) => {
    const value = Float64Array.from(numbers);
    const bytes = encodeSparkplug({ metrics: [{ name: "a", datatype, value }] });
    expect(Buffer.from(bytes).toString("hex")).toContain(hex);
    expect(decodeSparkplug(bytes).metrics[0]).toMatchObject({ name: "a", datatype, value });
  });

  it("is described by sparkplug-b.proto as it lies beside the code", () => {
    const file = new URL("../../../agent/codecs/sparkplug/sparkplug-b.proto", import.meta.url);
    expect(sparkplugProto).toBe(readFileSync(file, "utf8"));
  });
});

const longOf = (value: bigint) => ({
  low: Number(BigInt.asIntN(32, value)),
  high: Number(BigInt.asIntN(32, value >> 32n)),
  unsigned: value >= 0n,
});

const ms = 1_700_000_000_000;
const codec = (channels: readonly string[], rateHz?: number) => {
  const made = codecByName("sparkplug-b");
  const context = (topic: string, receivedAtMs: number): DecodeContext => ({
    stream: "s",
    topic,
    receivedAtNs: BigInt(receivedAtMs) * 1_000_000n,
    settings: { channels, rateHz },
  });
  /** Take a message that the oracle wrote. */
  return (topic: string, message: UPayload, receivedAtMs = ms): DecodeResult =>
    made.decode(encodePayload(message), context(`spBv1.0/plant/${topic}`, receivedAtMs));
};
const birth = (seq = 0, bdSeq = 0): UPayload => ({
  timestamp: ms,
  seq,
  metrics: [
    { name: "bdSeq", type: "Int64", value: bdSeq, timestamp: ms },
    { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp: ms },
  ],
});
const deviceBirth = (seq: number, values: Readonly<Record<string, number>>): UPayload => ({
  timestamp: ms,
  seq,
  metrics: Object.entries(values).map(([name, value], i) => ({
    name,
    alias: i + 1,
    type: "Double",
    value,
    timestamp: ms,
  })),
});
/** DATA under aliases alone: the oracle leaves out the name; the type it needs to write, and we must not need it. */
const data = (seq: number, at: number, values: Readonly<Record<number, number | null>>): UPayload => ({
  timestamp: at,
  seq,
  metrics: Object.entries(values).map(([alias, value]) => ({
    alias: Number(alias),
    type: "Double",
    value,
    timestamp: at,
  })),
});
const rows = (result: DecodeResult) => {
  if (!result.ok) throw new Error(`${result.error.reason}: ${result.error.detail}`);
  return result.blocks.map(({ startAtNs, samples }) => [Number(startAtNs / 1_000_000n) - ms, ...samples]);
};

describe("A stream of Sparkplug B", () => {
  it("reads aliases, and keeps what did not change: a row for each message", () => {
    const take = codec(["flow", "pressure"], 1);
    expect(rows(take("NBIRTH/edge", birth()))).toEqual([]);
    expect(rows(take("DBIRTH/edge/pump", deviceBirth(1, { flow: 30, pressure: 2, other: 9 })))).toEqual([]);
    expect(rows(take("DDATA/edge/pump", data(2, ms + 1000, { 1: 31 })))).toEqual([[1000, 31, 2]]);
    expect(rows(take("DDATA/edge/pump", data(3, ms + 2000, { 2: 2.5, 3: 8 })))).toEqual([[2000, 31, 2.5]]);
    expect(rows(take("DDATA/edge/pump", data(4, ms + 3000, { 3: 7 })))).toEqual([]); // none of ours
    expect(rows(take("DDATA/edge/pump", data(5, ms + 4000, { 2: null })))).toEqual([[4000, 31, Number.NaN]]);
  });

  it("takes a metric of one device by {device}/{metric}, and of the node itself by its name", () => {
    const take = codec(["b/flow", "load"], 1);
    take("NBIRTH/edge", {
      ...birth(),
      metrics: [...birth().metrics!, { name: "load", alias: 9, type: "Int32", value: -4 }],
    });
    take("DBIRTH/edge/a", deviceBirth(1, { flow: 1 }));
    take("DBIRTH/edge/b", { ...deviceBirth(2, {}), metrics: [{ name: "flow", alias: 5, type: "Float", value: 2 }] });
    const changed = {
      timestamp: ms,
      seq: 3,
      metrics: [{ alias: 5, type: "Float", value: 0.5, timestamp: ms } as UMetric],
    };
    expect(rows(take("DDATA/edge/b", changed))).toEqual([[0, 0.5, -4]]);
  });

  it("makes one block of the arrays in a payload: channels side by side, the rate from the property", () => {
    const codecOf = codecByName("sparkplug-b");
    const context = (topic: string): DecodeContext => ({
      stream: "s",
      topic: `spBv1.0/plant/${topic}`,
      receivedAtNs: 0n,
      settings: { channels: ["x", "y"], rateHz: 100 },
    });
    const arrays = (seq: number, values: Readonly<Record<string, readonly number[]>>) =>
      encodeSparkplug({
        timestampMs: ms,
        seq,
        metrics: Object.entries(values).map(([name, numbers]) => ({
          name,
          datatype: name === "x" ? ("Int16Array" as const) : ("FloatArray" as const),
          timestampMs: ms + 5,
          value: Float64Array.from(numbers),
        })),
      });
    codecOf.decode(encodePayload(birth()), context("NBIRTH/edge"));
    codecOf.decode(arrays(1, { x: [], y: [] }), context("DBIRTH/edge/d"));
    const result = codecOf.decode(arrays(2, { x: [1, -2], y: [0.5, 0.25] }), context("DDATA/edge/d"));
    expect(result).toMatchObject({ ok: true, blocks: [{ sampleRateHz: 100, channels: ["x", "y"] }] });
    expect(rows(result)).toEqual([[5, 1, 0.5, -2, 0.25]]);
    expect(codecOf.decode(arrays(3, { x: [1], y: [1, 2] }), context("DDATA/edge/d"))).toMatchObject({
      ok: false,
      error: { reason: "wrong-length", detail: "y: expected 1 samples as in x, got 2" },
    });
  });
});

describe("A host of Sparkplug B", () => {
  const rebirth = (result: DecodeResult) => {
    const ask = result.news?.ask;
    if (ask === undefined) return undefined;
    const { metrics } = decodePayload(ask.payload);
    return [ask.topic, metrics?.[0]?.name, metrics?.[0]?.type, metrics?.[0]?.value];
  };
  const asked = ["spBv1.0/plant/NCMD/edge", "Node Control/Rebirth", "Boolean", true];

  it("asks for a birth where it has none, where an alias is unknown, and after a gap in seq; not at every message", () => {
    const take = codec(["flow"], 1);
    expect(rebirth(take("DDATA/edge/pump", data(7, ms, { 1: 1 })))).toEqual(asked);
    expect(rebirth(take("DDATA/edge/pump", data(8, ms, { 1: 1 }), ms + 100))).toBeUndefined();
    expect(rebirth(take("DDATA/edge/pump", data(9, ms, { 1: 1 }), ms + 10_000))).toEqual(asked);
    expect(rebirth(take("NBIRTH/edge", birth()))).toBeUndefined();
    expect(rebirth(take("DBIRTH/edge/pump", deviceBirth(1, { flow: 1 })))).toBeUndefined();
    expect(rebirth(take("DDATA/edge/pump", data(2, ms, { 1: 2 })))).toBeUndefined();
    expect(rebirth(take("DDATA/edge/pump", data(4, ms, { 1: 3 })))).toEqual(asked); // 3 is missing
    take("NBIRTH/edge", birth());
    expect(rebirth(take("DDATA/edge/pump", data(1, ms, { 1: 3 })))).toEqual(asked); // the birth cleared its alias
  });

  it("follows seq over the node and its devices, and past 255", () => {
    const take = codec(["flow"], 1);
    take("NBIRTH/edge", birth());
    take("DBIRTH/edge/a", deviceBirth(1, { flow: 1 }));
    for (let i = 2; i < 600; i++) {
      const result = take(i % 3 === 0 ? "NDATA/edge" : "DDATA/edge/a", data(i % 256, ms + i, { 1: i }));
      expect(rebirth(result), `message ${i}`).toBeUndefined();
    }
  });

  it("knows a death by its bdSeq, and leaves a will of an earlier connection", () => {
    const take = codec(["flow"], 1);
    const death = (bdSeq: number): UPayload => ({
      timestamp: ms,
      metrics: [{ name: "bdSeq", type: "Int64", value: bdSeq }],
    });
    take("NBIRTH/edge", birth(0, 4));
    take("DBIRTH/edge/a", deviceBirth(1, { flow: 1 }));
    expect(take("NDEATH/edge", death(3)).news).toEqual({});
    expect(rows(take("DDATA/edge/a", data(2, ms, { 1: 2 })))).toEqual([[0, 2]]);
    expect(take("NDEATH/edge", death(4)).news).toEqual({ isAlive: false });
    expect(take("NBIRTH/edge", birth(0, 5)).news).toEqual({ isAlive: true });
  });

  it("forgets the values of a device that died, and only those", () => {
    const take = codec(["a/flow", "b/flow"], 1);
    take("NBIRTH/edge", birth());
    take("DBIRTH/edge/a", deviceBirth(1, { flow: 1 }));
    take("DBIRTH/edge/b", { ...deviceBirth(2, {}), metrics: [{ name: "flow", alias: 8, type: "Double", value: 2 }] });
    expect(take("DDEATH/edge/a", { timestamp: ms, seq: 3, metrics: [] }).news).toEqual({ isAlive: false });
    expect(rows(take("DDATA/edge/b", data(4, ms, { 8: 5 })))).toEqual([[0, Number.NaN, 5]]);
  });

  it("never throws and stays bounded, whatever comes on whatever topic", () => {
    const made = codecByName("sparkplug-b");
    const good = encodePayload(deviceBirth(1, { flow: 1 }));
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(),
        fc.constantFrom(
          "NBIRTH/e",
          "DBIRTH/e/d",
          "DDATA/e/d",
          "NDEATH/e",
          "DDEATH/e/d",
          "NCMD/e",
          "XDATA/e",
          "DDATA/e",
        ),
        (noise, at, topic) => {
          const broken = good.slice();
          broken.set(noise.subarray(0, 3), at % (good.length - 3));
          for (const bytes of [noise, broken]) {
            const context = {
              stream: "s",
              topic: `spBv1.0/g/${topic}`,
              receivedAtNs: 0n,
              settings: { channels: ["flow"], rateHz: 1 },
            };
            const result = made.decode(bytes, context);
            if (!result.ok) expect(result.error.detail).toMatch(/expected .*, got .+/s);
          }
        },
      ),
      { numRuns: 2000, seed: 3 },
    );
  });
});

describe("A topic of Sparkplug B", () => {
  it("names group, kind, edge node and, for those of devices alone, a device", () => {
    expect(parseTopic("spBv1.0/g/DDATA/e/d")).toEqual({ group: "g", kind: "DDATA", edgeNode: "e", device: "d" });
    for (const wrong of [
      "spBv1.0/g/DDATA/e",
      "spBv1.0/g/NDATA/e/d",
      "spAv1.0/g/NDATA/e",
      "spBv1.0/STATE/h",
      "spBv1.0/g/NDATA/e/d/x",
    ]) {
      expect(parseTopic(wrong), wrong).toBeUndefined();
    }
  });

  it("is refused as a stream's unless it takes all of one node: only so is seq seen whole", () => {
    const { refuseTopic } = codecByName("sparkplug-b");
    expect(refuseTopic!("spBv1.0/plant/+/edge-1/#")).toBeUndefined();
    expect(refuseTopic!("spBv1.0/plant/DDATA/edge-1/#")).toMatch(/^topic: expected all messages of one edge node/);
  });

  it("has data types by the numbers of the standard", () => {
    expect([datatypes.Int8, datatypes.UInt64, datatypes.Boolean, datatypes.Int16Array, datatypes.FloatArray]).toEqual([
      1, 8, 11, 23, 30,
    ]);
  });
});
