import protobuf from "protobufjs";
import { type Datatype, datatypeOf, datatypes, packings, signedBits } from "./datatypes.ts";
import { sparkplugProto } from "./sparkplug-proto.ts";

const Payload = protobuf.parse(sparkplugProto, { keepCase: true }).root.lookupType("sparkplug.Payload");

/** What a metric holds: 64-bit integers and times as bigint, arrays of numbers as Float64Array, null for nothing. */
export type MetricValue = number | bigint | boolean | string | Uint8Array | Float64Array | null;

/** A metric; what the sender left out is undefined. */
export interface Metric {
  readonly name?: string | undefined;
  readonly alias?: number | undefined;
  readonly timestampMs?: number | undefined;
  readonly datatype?: Datatype | undefined;
  readonly isHistorical?: boolean | undefined;
  /** Undefined where the datatype is none that we read, or is not known here: see `valueAs`. */
  readonly value?: MetricValue | undefined;
  /** Values of the properties that are numbers. */
  readonly properties?: Readonly<Record<string, number>> | undefined;
  /** The field as it came, to be read once the datatype is known from the birth. */
  readonly raw?: RawValue | undefined;
}

/** A payload of Sparkplug B. */
export interface SparkplugPayload {
  readonly timestampMs?: number | undefined;
  readonly seq?: number | undefined;
  readonly metrics: readonly Metric[];
}

interface Long {
  readonly low: number;
  readonly high: number;
}

/** The value of a metric by its field in the protobuf. */
export interface RawValue {
  readonly int_value?: number;
  readonly long_value?: Long;
  readonly float_value?: number;
  readonly double_value?: number;
  readonly boolean_value?: boolean;
  readonly string_value?: string;
  readonly bytes_value?: Uint8Array;
}

interface RawMetric extends RawValue {
  readonly name?: string;
  readonly alias?: Long;
  readonly timestamp?: Long;
  readonly datatype?: number;
  readonly is_historical?: boolean;
  readonly is_null?: boolean;
  readonly properties?: { readonly keys: readonly string[]; readonly values: readonly RawProperty[] };
}

interface RawProperty {
  readonly int_value?: number;
  readonly long_value?: Long;
  readonly float_value?: number;
  readonly double_value?: number;
}

/** Read a payload. @throws Error where the bytes are none */
export const decodeSparkplug = (bytes: Uint8Array): SparkplugPayload => {
  const raw = Payload.decode(bytes) as unknown as {
    readonly timestamp?: Long;
    readonly seq?: Long;
    readonly metrics: readonly RawMetric[];
  };
  return {
    timestampMs: has(raw, "timestamp") ? numberOf(raw.timestamp!) : undefined,
    seq: has(raw, "seq") ? numberOf(raw.seq!) : undefined,
    metrics: raw.metrics.map(metricOf),
  };
};

/** The value of a metric whose datatype only its birth has told. Undefined where the field is none of that type. */
export const valueAs = (raw: RawValue, datatype: Datatype | undefined): MetricValue | undefined => {
  if (datatype === undefined) return undefined;
  const packing = packings[datatype];
  if (packing !== undefined) {
    const bytes = has(raw, "bytes_value") ? raw.bytes_value! : undefined;
    if (bytes === undefined || bytes.length % packing.bytes !== 0) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Float64Array.from({ length: bytes.length / packing.bytes }, (_, i) => packing.read(view, i * packing.bytes));
  }
  const bits = signedBits[datatype];
  if (has(raw, "int_value"))
    return bits === undefined ? raw.int_value! : Number(BigInt.asIntN(bits, BigInt(raw.int_value!)));
  if (has(raw, "long_value")) {
    const whole = (BigInt(raw.long_value!.high >>> 0) << 32n) | BigInt(raw.long_value!.low >>> 0);
    if (datatype === "Int64") return BigInt.asIntN(64, whole);
    if (datatype === "UInt64" || datatype === "DateTime") return whole;
    return bits === undefined ? Number(whole) : Number(BigInt.asIntN(bits, whole));
  }
  if (has(raw, "float_value")) return raw.float_value!;
  if (has(raw, "double_value")) return raw.double_value!;
  if (has(raw, "boolean_value")) return raw.boolean_value!;
  if (has(raw, "string_value")) return raw.string_value!;
  return has(raw, "bytes_value") ? raw.bytes_value! : undefined;
};

/** Write a payload. The datatype goes out with the name alone: a metric under its alias had both in its birth. */
export const encodeSparkplug = ({ timestampMs, seq, metrics }: SparkplugPayload): Uint8Array =>
  Payload.encode({
    ...(timestampMs !== undefined && { timestamp: timestampMs }),
    ...(seq !== undefined && { seq }),
    metrics: metrics.map(rawOf),
  } as unknown as protobuf.Message).finish();

const metricOf = (raw: RawMetric): Metric => {
  const datatype = datatypeOf(has(raw, "datatype") ? raw.datatype : undefined);
  const isNull = has(raw, "is_null") && raw.is_null === true;
  return {
    name: has(raw, "name") ? raw.name : undefined,
    alias: has(raw, "alias") ? numberOf(raw.alias!) : undefined,
    timestampMs: has(raw, "timestamp") ? numberOf(raw.timestamp!) : undefined,
    datatype,
    isHistorical: has(raw, "is_historical") ? raw.is_historical : undefined,
    value: isNull ? null : valueAs(raw, datatype),
    properties: has(raw, "properties") ? propertiesOf(raw.properties!) : undefined,
    raw,
  };
};

const propertiesOf = ({ keys, values }: NonNullable<RawMetric["properties"]>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    keys.flatMap((key, i) => {
      const value = values[i];
      const number = value === undefined ? undefined : propertyNumber(value);
      return number === undefined ? [] : [[key, number]];
    }),
  );

const propertyNumber = (value: RawProperty): number | undefined => {
  if (has(value, "int_value")) return value.int_value! | 0;
  if (has(value, "long_value")) return numberOf(value.long_value!);
  if (has(value, "float_value")) return value.float_value;
  return has(value, "double_value") ? value.double_value : undefined;
};

const rawOf = (metric: Metric): object => ({
  ...(metric.name !== undefined && { name: metric.name }),
  ...(metric.alias !== undefined && { alias: metric.alias }),
  ...(metric.timestampMs !== undefined && { timestamp: metric.timestampMs }),
  ...(metric.name !== undefined && metric.datatype !== undefined && { datatype: datatypes[metric.datatype] }),
  ...(metric.isHistorical !== undefined && { is_historical: metric.isHistorical }),
  ...(metric.value === null ? { is_null: true } : fieldOf(metric.datatype, metric.value)),
});

const fieldOf = (datatype: Datatype | undefined, value: MetricValue | undefined): RawValue | object => {
  if (value === undefined || value === null) return {};
  const packing = datatype === undefined ? undefined : packings[datatype];
  if (value instanceof Float64Array) {
    if (packing === undefined) throw new TypeError(`datatype: expected that of an array, got ${datatype}`);
    const bytes = new Uint8Array(value.length * packing.bytes);
    const view = new DataView(bytes.buffer);
    for (const [i, x] of value.entries()) packing.write(view, i * packing.bytes, x);
    return { bytes_value: bytes };
  }
  if (value instanceof Uint8Array) return { bytes_value: value };
  if (typeof value === "string") return { string_value: value };
  if (typeof value === "boolean") return { boolean_value: value };
  if (typeof value === "bigint") {
    return {
      long_value: {
        low: Number(BigInt.asIntN(32, value)),
        high: Number(BigInt.asIntN(32, value >> 32n)),
        unsigned: true,
      },
    };
  }
  if (datatype === "Float") return { float_value: value };
  if (datatype === "UInt32") return { long_value: value };
  return datatype === undefined || datatype === "Double" ? { double_value: value } : { int_value: value >>> 0 };
};

/** Fields that were left out are not a message's own: protobufjs gives defaults for them. */
const has = (message: object, key: string): boolean =>
  Object.hasOwn(message, key) && (message as Record<string, unknown>)[key] !== null;

/** An unsigned 64-bit integer as a number: times and sequence numbers lie far below 2⁵³. */
const numberOf = ({ low, high }: Long): number => (high >>> 0) * 2 ** 32 + (low >>> 0);
