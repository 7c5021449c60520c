import { blockOf, limits, refuse } from "./chunk.ts";
import { isRecord, kindOf, parseJson } from "./json.ts";
import type { DecodeResult, PayloadCodec } from "./payload-codec.ts";
import { RunningTime } from "./running-time.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Seconds of the UCUM units of time that an interval may have. */
const intervalSeconds: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, min: 60, h: 3600 };

/** Millivolts of the units of a potential; the ECG pipeline takes mV. Other units stay as they are. */
const millivolts: Readonly<Record<string, number>> = { V: 1e3, mV: 1, uV: 1e-3, µV: 1e-3, nV: 1e-6 };

/**
 * FHIR SampledData (R4: `period` in ms; R5: `interval` and `intervalUnit`), alone or in an Observation: its value, or its
 * components as channels of one length. `value = origin + data · factor`; E is NaN, U and L the upper and lower limit or
 * NaN. The time is the Observation's effective one.
 * Source: HL7 FHIR R4 2.24.0.17 and R5 2.1.28.0.17, SampledData.
 */
export const createFhirCodec = (): PayloadCodec => {
  const runningTime = new RunningTime();
  return {
    name: "fhir",
    decode(payload, context): DecodeResult {
      const parsed = parseJson(payload);
      if ("ok" in parsed) return parsed;
      if (!isRecord(parsed.value)) {
        return refuse("malformed", `payload: expected an Observation or SampledData, got ${kindOf(parsed.value)}`);
      }
      try {
        const { channels, values, rateHz, n } = signalOf(parsed.value);
        const t0Ns = timeOf(parsed.value);
        const names = channels ?? context.settings.channels;
        const chunk = { t0Ns, rateHz, channels: names, scale: undefined, n, values, isLeadOff: false };
        return blockOf(chunk, { context, runningTime });
      } catch (problem) {
        if (problem instanceof RangeError) return refuse("wrong-format", problem.message);
        throw problem;
      }
    },
  };
};

interface Signal {
  readonly channels: readonly string[] | undefined;
  readonly rateHz: number;
  /** Time steps. */
  readonly n: number;
  /** [time × channels] */
  readonly values: Float32Array;
}

const signalOf = (resource: Fields): Signal => {
  const components = resource["component"];
  if (!Array.isArray(components)) {
    const one = readSamples(isRecord(resource["valueSampledData"]) ? resource["valueSampledData"] : resource, "data");
    return { ...one, channels: undefined };
  }
  const parts = components.map((component: unknown, i) => {
    const where = `component[${i}]`;
    if (!isRecord(component)) throw new RangeError(`${where}: expected an object, got ${kindOf(component)}`);
    const data = component["valueSampledData"];
    if (!isRecord(data)) throw new RangeError(`${where}.valueSampledData: expected an object, got ${kindOf(data)}`);
    return { name: nameOf(component["code"]) ?? `lead-${i + 1}`, ...readSamples(data, `${where}.data`) };
  });
  const [first] = parts;
  if (first === undefined) throw new RangeError("component: expected at least one, got none");
  const odd = parts.find((part) => part.n !== first.n || part.rateHz !== first.rateHz || part.values.length !== part.n);
  if (odd !== undefined) {
    throw new RangeError(
      `component: expected ${first.n} samples at ${first.rateHz} Hz in each, got others in ${odd.name}`,
    );
  }
  const values = new Float32Array(first.n * parts.length);
  parts.forEach((part, c) => {
    part.values.forEach((x, i) => {
      values[i * parts.length + c] = x;
    });
  });
  return { channels: parts.map(({ name }) => name), rateHz: first.rateHz, n: first.n, values };
};

const nameOf = (code: unknown): string | undefined => {
  if (!isRecord(code)) return undefined;
  const coding: unknown = Array.isArray(code["coding"]) ? code["coding"][0] : undefined;
  const name = code["text"] ?? (isRecord(coding) ? (coding["display"] ?? coding["code"]) : undefined);
  return typeof name === "string" && name.length > 0 ? name.slice(0, limits.channelNameLetters) : undefined;
};

const readSamples = (sampled: Fields, where: string): Omit<Signal, "channels"> => {
  const { data, period, intervalUnit = "ms", factor = 1, dimensions = 1, origin } = sampled;
  const interval = sampled["interval"] ?? period;
  if (typeof data !== "string") throw new RangeError(`${where}: expected a text of samples, got ${kindOf(data)}`);
  const seconds = typeof intervalUnit === "string" ? intervalSeconds[intervalUnit] : undefined;
  if (seconds === undefined) throw new RangeError(`intervalUnit: expected s, ms or us, got ${String(intervalUnit)}`);
  const step = numberOf(interval, "interval") * seconds;
  const at = isRecord(origin) ? origin : {};
  const unit = at["code"] ?? at["unit"];
  const toMillivolts = typeof unit === "string" && Object.hasOwn(millivolts, unit) ? millivolts[unit]! : 1;
  const zero = numberOf(at["value"] ?? 0, "origin.value");
  const width = numberOf(dimensions, "dimensions");
  const limitOf = (key: string): number =>
    sampled[key] === undefined ? Number.NaN : zero + numberOf(sampled[key], key) * numberOf(factor, "factor");
  const words: Readonly<Record<string, number>> = { E: Number.NaN, U: limitOf("upperLimit"), L: limitOf("lowerLimit") };
  const texts = data.trim() === "" ? [] : data.trim().split(/\s+/);
  const values = new Float32Array(texts.length);
  for (const [i, text] of texts.entries()) {
    const special = words[text];
    const x = special ?? zero + Number(text) * numberOf(factor, "factor");
    if (special === undefined && !Number.isFinite(x)) {
      throw new RangeError(`${where}: expected numbers, E, U or L, got ${text.slice(0, 20)}`);
    }
    values[i] = x * toMillivolts;
  }
  return { rateHz: 1 / step, n: values.length / width, values };
};

const numberOf = (value: unknown, key: string): number => {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new RangeError(`${key}: expected a number, got ${JSON.stringify(value) ?? "nothing"}`);
  }
  return value;
};

const timeOf = (resource: Fields): bigint | undefined => {
  const { effectivePeriod: period } = resource;
  const text =
    resource["effectiveDateTime"] ?? resource["effectiveInstant"] ?? (isRecord(period) ? period["start"] : undefined);
  if (text === undefined) return undefined;
  const ms = typeof text === "string" ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new RangeError(`effective time: expected ISO 8601, got ${String(text).slice(0, 40)}`);
  return BigInt(ms) * 1_000_000n;
};
