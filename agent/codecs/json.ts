import { blockOf, type Chunk, refuse, refuseSize } from "./chunk.ts";
import { chunkOfFields } from "./chunk-fields.ts";
import type { DecodeResult, EncodeOptions, PayloadCodec } from "./payload-codec.ts";
import { RunningTime } from "./running-time.ts";
import { encodeData } from "./sample-data.ts";

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
  const parsed = parseJson(payload);
  if ("ok" in parsed) return parsed;
  if (!isRecord(parsed.value))
    return refuse("malformed", `payload: expected a JSON object, got ${kindOf(parsed.value)}`);
  return chunkOfFields(parsed.value, parsed.text);
};

/** What a payload of JSON says, or why it says nothing. */
export const parseJson = (payload: Uint8Array): { readonly value: unknown; readonly text: string } | DecodeResult => {
  const refused = refuseSize(payload);
  if (refused !== undefined) return refused;
  const text = new TextDecoder().decode(payload);
  try {
    return { value: JSON.parse(text), text };
  } catch {
    return refuse("malformed", `payload: expected JSON, got ${payload.length} bytes that are none`);
  }
};

/** Whether a value of JSON is an object with keys. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The kind of a value of JSON, for sentences. */
export const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;

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
