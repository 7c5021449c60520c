import { decode, encode } from "cbor2";
import { blockOf, type Chunk, refuse, refuseSize } from "./chunk.ts";
import { chunkOfFields } from "./chunk-fields.ts";
import { isRecord } from "./json.ts";
import type { DecodeResult, PayloadCodec } from "./payload-codec.ts";
import { RunningTime } from "./running-time.ts";
import { encodeData } from "./sample-data.ts";

/**
 * The chunk as CBOR (RFC 8949): the fields of the JSON twin; `data` is a byte string, `samples` an array of numbers or
 * a typed array (RFC 8746, tags 81 and 85, 86).
 */
export const createCborCodec = (): PayloadCodec => {
  const runningTime = new RunningTime();
  return {
    name: "cbor",
    decode(payload, context): DecodeResult {
      const chunk = decodeCborChunk(payload);
      return "ok" in chunk ? chunk : blockOf(chunk, { context, runningTime });
    },
    encode(block, { session = "0", seq = 0, unit = "", format, scale } = {}) {
      const head = {
        stream: block.stream,
        session,
        seq,
        t0_ns: block.startAtNs,
        rate_hz: block.sampleRateHz,
        channels: block.channels,
        unit,
        n: block.samples.length / block.channels.length,
      };
      if (format === undefined) return encode({ ...head, samples: Float32Array.from(block.samples) });
      return encode({ ...head, format, ...encodeData(block.samples, format, scale) });
    },
  };
};

const decodeCborChunk = (payload: Uint8Array): Chunk | DecodeResult => {
  const refused = refuseSize(payload);
  if (refused !== undefined) return refused;
  let fields: unknown;
  try {
    fields = decode(payload, { maxDepth: 8 });
  } catch {
    return refuse("malformed", `payload: expected CBOR, got ${payload.length} bytes that are none`);
  }
  if (!isRecord(fields)) return refuse("malformed", "payload: expected a map with names as keys, got something else");
  return chunkOfFields(fields);
};
