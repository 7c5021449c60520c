import { blockOf, type Chunk, refuse, refuseSize } from "./chunk.ts";
import type { DecodeReason, DecodeResult, EncodeOptions, PayloadCodec, SampleFormat } from "./payload-codec.ts";
import { RunningTime } from "./running-time.ts";
import { encodeData } from "./sample-data.ts";

const formats: readonly string[] = ["s16le", "s24le", "f32le"] satisfies readonly SampleFormat[];
const flags: readonly string[] = ["lead_off", "clipped", "gap"];

/**
 * The twin of the protobuf chunk: the same fields, `t0_ns` as a number or as a string of digits, and either `data` in
 * base64 or `samples` in physical units: `[1, 2, …]` interleaved or `[[a, b], …]` one row a time step, null for NaN.
 */
export const createJsonCodec = (): PayloadCodec => {
  const runningTime = new RunningTime();
  return {
    name: "json",
    decode(payload, context): DecodeResult {
      const chunk = decodeJsonChunk(payload);
      return "ok" in chunk ? chunk : blockOf(chunk, { context, runningTime });
    },
    encode: encodeBlock,
  };
};

/** The fields of a JSON chunk, or why it is none. */
export const decodeJsonChunk = (payload: Uint8Array): Chunk | DecodeResult => {
  const refused = refuseSize(payload);
  if (refused !== undefined) return refused;
  const text = new TextDecoder().decode(payload);
  let fields: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      return refuse(
        "malformed",
        `payload: expected a JSON object, got ${Array.isArray(parsed) ? "an array" : typeof parsed}`,
      );
    }
    fields = parsed as Record<string, unknown>;
  } catch {
    return refuse("malformed", `payload: expected a JSON object, got ${payload.length} bytes that are none`);
  }
  try {
    return {
      t0Ns: timeOf(fields["t0_ns"], text),
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
    const shown = JSON.stringify(got) ?? "nothing";
    super(`${expected}, got ${shown.length > 40 ? `${shown.slice(0, 40)}…` : shown}`);
    this.reason = reason;
  }
}

const numberOf = (fields: Record<string, unknown>, key: string, reason: DecodeReason): number | undefined => {
  const value = fields[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw new WrongField(reason, `${key}: expected a number`, value);
  return value;
};

const timeOf = (value: unknown, text: string): bigint | undefined => {
  if (value === undefined || value === null) return undefined;
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

const valuesOf = (fields: Record<string, unknown>): Chunk["values"] => {
  const { data, samples, format } = fields;
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
  if (typeof data !== "string")
    throw new WrongField("missing-field", "samples: expected an array of numbers, or data", samples);
  if (format !== undefined && (typeof format !== "string" || !formats.includes(format))) {
    throw new WrongField("wrong-format", "format: expected s16le, s24le or f32le", format);
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(data) || data.length % 4 !== 0) {
    throw new WrongField("malformed", "data: expected base64", data);
  }
  return { data: Buffer.from(data, "base64"), format: format as SampleFormat | undefined };
};

const encodeBlock: NonNullable<PayloadCodec["encode"]> = (block, options: EncodeOptions = {}) => {
  const { session = "0", seq = 0, unit = "" } = options;
  const head = {
    stream: block.stream,
    session,
    seq,
    t0_ns: String(block.startAtNs),
    rate_hz: block.sampleRateHz,
    channels: block.channels,
    unit,
    n: block.samples.length / block.channels.length,
  };
  if (options.format !== undefined) {
    const { data, scale } = encodeData(block.samples, options.format, options.scale);
    const body = { format: options.format, scale, data: Buffer.from(data).toString("base64") };
    return new TextEncoder().encode(JSON.stringify({ ...head, ...body }));
  }
  // Nine digits are what a Float32 needs to come back as it was.
  const samples = Array.from(block.samples, (x) => (Number.isFinite(x) ? Number(x.toPrecision(9)) : null));
  return new TextEncoder().encode(JSON.stringify({ ...head, samples }));
};
