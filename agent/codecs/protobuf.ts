import protobuf from "protobufjs";
import { blockOf, type Chunk, refuse, refuseSize, sequenceOf } from "./chunk.ts";
import type { DecodeResult, EncodeOptions, PayloadCodec, SampleFormat } from "./payload-codec.ts";
import { RunningTime } from "./running-time.ts";
import { encodeData } from "./sample-data.ts";
import { samplesProto } from "./samples-proto.ts";

const SampleChunk = protobuf.parse(samplesProto, { keepCase: true }).root.lookupType("ohmwatch.SampleChunk");

/** Numbers of `Format` and `Flag` in samples.proto. */
const formats: readonly (SampleFormat | undefined)[] = [undefined, "s16le", "s24le", "f32le"];
const leadOff = 1;

/** What protobufjs gives: fields that were left out are not its own. */
interface Message {
  readonly t0_ns?: { readonly low: number; readonly high: number } | number | null;
  readonly rate_hz?: number | null;
  readonly session: string;
  readonly seq: { readonly low: number; readonly high: number } | number;
  readonly channels: readonly string[];
  readonly format: number;
  readonly scale?: number | null;
  readonly n: number;
  readonly flags: readonly number[];
  readonly data: Uint8Array | readonly number[];
}

/** Our own chunk of samples as protobuf: samples.proto. */
export const createProtobufCodec = (): PayloadCodec => {
  const runningTime = new RunningTime();
  return {
    name: "protobuf",
    decode(payload, context): DecodeResult {
      const chunk = decodeChunk(payload);
      return "ok" in chunk ? chunk : blockOf(chunk, { context, runningTime });
    },
    encode: encodeBlock,
  };
};

/** The fields of a protobuf chunk, or why it is none. */
export const decodeChunk = (payload: Uint8Array): Chunk | DecodeResult => {
  const refused = refuseSize(payload);
  if (refused !== undefined) return refused;
  let message: Message;
  try {
    message = SampleChunk.decode(payload) as unknown as Message;
  } catch (cause) {
    const because = cause instanceof Error ? cause.message : "unknown";
    return refuse(
      "malformed",
      `payload: expected a SampleChunk of samples.proto, got ${payload.length} bytes (${because})`,
    );
  }
  if (message.format >= formats.length || message.format < 0) {
    return refuse("wrong-format", `format: expected s16le, s24le or f32le, got number ${message.format}`);
  }
  return {
    t0Ns: bigintOf(message.t0_ns),
    sequence: sequenceOf(message.session, bigintOf(message.seq)),
    rateHz: message.rate_hz ?? undefined,
    channels: message.channels.length === 0 ? undefined : message.channels,
    scale: message.scale ?? undefined,
    n: message.n,
    // protobufjs gives an empty array for bytes that were left out. The samples are read out of them at once.
    values: {
      data: message.data instanceof Uint8Array ? message.data : new Uint8Array(),
      format: formats[message.format],
    },
    isLeadOff: message.flags.includes(leadOff),
  };
};

/** Writes a block as a chunk of samples.proto. */
export const encodeBlock: NonNullable<PayloadCodec["encode"]> = (block, options: EncodeOptions = {}) => {
  const { session = "0", seq = 0, format = "f32le", unit = "" } = options;
  const { data, scale } = encodeData(block.samples, format, options.scale);
  return SampleChunk.encode({
    stream: block.stream,
    session,
    seq,
    t0_ns: { low: Number(BigInt.asIntN(32, block.startAtNs)), high: Number(block.startAtNs >> 32n), unsigned: false },
    rate_hz: block.sampleRateHz,
    channels: block.channels,
    format: formats.indexOf(format),
    scale,
    unit,
    n: block.samples.length / block.channels.length,
    data,
  } as unknown as protobuf.Message).finish();
};

const bigintOf = (value: Message["t0_ns"]): bigint | undefined => {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number") return BigInt(Math.trunc(value));
  return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
};
