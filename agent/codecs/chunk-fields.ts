import { type Chunk, refuse, sequenceOf } from "./chunk.ts";
import type { DecodeReason, DecodeResult, SampleFormat } from "./payload-codec.ts";

const formats: readonly string[] = ["s16le", "s24le", "f32le"] satisfies readonly SampleFormat[];
const flags: readonly string[] = ["lead_off", "clipped", "gap"];

/**
 * The fields of a chunk out of a record that JSON or CBOR gave, or why it is none.
 *
 * @param text the JSON that the record came from: its digits hold nanoseconds that a double rounds
 */
export const chunkOfFields = (fields: Readonly<Record<string, unknown>>, text = ""): Chunk | DecodeResult => {
  try {
    return {
      t0Ns: timeOf(fields["t0_ns"], text),
      sequence: sequenceOf(fields["session"], fields["seq"]),
      rateHz: numberOf(fields, "rate_hz", "wrong-rate"),
      channels: channelsOf(fields["channels"]),
      scale: numberOf(fields, "scale", "wrong-scale"),
      n: numberOf(fields, "n", "wrong-length"),
      values: valuesOf(fields),
      isLeadOff: flagsOf(fields["flags"]).includes("lead_off"),
    };
  } catch (problem) {
    if (problem instanceof WrongField) return refuse(problem.reason, problem.message);
    throw problem;
  }
};

/** Carries a refusal out of the readers of single fields; never leaves this file. */
class WrongField extends Error {
  readonly reason: DecodeReason;

  constructor(reason: DecodeReason, expected: string, got: unknown) {
    const shown = JSON.stringify(got, (_, x: unknown) => (typeof x === "bigint" ? String(x) : x)) ?? "nothing";
    super(`${expected}, got ${shown.length > 40 ? `${shown.slice(0, 40)}…` : shown}`);
    this.reason = reason;
  }
}

const numberOf = (fields: Readonly<Record<string, unknown>>, key: string, reason: DecodeReason): number | undefined => {
  const value = fields[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw new WrongField(reason, `${key}: expected a number`, value);
  return value;
};

const timeOf = (value: unknown, text: string): bigint | undefined => {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "bigint") return value;
  if (typeof value === "string" && /^\d{1,19}$/.test(value)) return BigInt(value);
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new WrongField("wrong-time", "t0_ns: expected a whole number of nanoseconds since 1970", value);
  }
  // A double rounds nanoseconds of today to 256; the digits as they were written do not.
  const digits = /"t0_ns"\s*:\s*(\d{1,19})(?![\d.eE])/.exec(text)?.[1];
  return digits !== undefined && Number(digits) === value ? BigInt(digits) : BigInt(value);
};

const channelsOf = (value: unknown): readonly string[] | undefined => {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((name): name is string => typeof name === "string")) {
    throw new WrongField("wrong-channels", "channels: expected an array of names", value);
  }
  return value;
};

const flagsOf = (value: unknown): readonly string[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((flag) => flags.includes(flag))) {
    throw new WrongField("wrong-format", `flags: expected an array of ${flags.join(", ")}`, value);
  }
  return value;
};

const valuesOf = (fields: Readonly<Record<string, unknown>>): Chunk["values"] => {
  const { data, samples, format } = fields;
  if (samples instanceof Float32Array || samples instanceof Float64Array) return Float32Array.from(samples);
  if (Array.isArray(samples)) {
    const flat: unknown[] = samples.every(Array.isArray) ? samples.flat() : samples;
    const width = Array.isArray(samples[0]) ? samples[0].length : 0;
    if (width > 0 && samples.some((row) => !Array.isArray(row) || row.length !== width)) {
      throw new WrongField("wrong-length", `samples: expected rows of ${width} numbers`, samples);
    }
    const numbers = new Float32Array(flat.length);
    for (const [i, value] of flat.entries()) {
      if (typeof value !== "number" && value !== null && value !== "NaN") {
        throw new WrongField("wrong-format", "samples: expected numbers or null", value);
      }
      numbers[i] = typeof value === "number" ? value : Number.NaN;
    }
    return numbers;
  }
  if (typeof data !== "string" && !(data instanceof Uint8Array)) {
    throw new WrongField("missing-field", "samples: expected an array of numbers, or data", samples);
  }
  if (format !== undefined && (typeof format !== "string" || !formats.includes(format))) {
    throw new WrongField("wrong-format", "format: expected s16le, s24le or f32le", format);
  }
  if (data instanceof Uint8Array) return { data, format: format as SampleFormat | undefined };
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data) || data.length % 4 !== 0) {
    throw new WrongField("malformed", "data: expected base64", data);
  }
  return { data: Buffer.from(data, "base64"), format: format as SampleFormat | undefined };
};
