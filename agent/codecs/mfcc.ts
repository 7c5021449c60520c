import { blockOf, refuse } from "./chunk.ts";
import { decodeJsonChunk } from "./json.ts";
import type { PayloadCodec } from "./payload-codec.ts";
import { decodeChunk, encodeBlock } from "./protobuf.ts";
import { RunningTime } from "./running-time.ts";

/** Frames a second unless the settings say otherwise: a hop of 10 ms. */
const frameRateHz = 100;

/**
 * MFCC frames computed at the sensor: a chunk (protobuf or JSON) whose channels are the coefficients `c0`, `c1`, … and
 * whose rate is that of the frames. `settings.channels` says how many coefficients the sensor must send.
 */
export const createMfccCodec = (): PayloadCodec => {
  const runningTime = new RunningTime();
  return {
    name: "mfcc",
    decode(payload, context) {
      const isJson = payload[0] === 0x7b;
      const chunk = isJson ? decodeJsonChunk(payload) : decodeChunk(payload);
      if ("ok" in chunk) return chunk;
      const { settings } = context;
      const expectedHz = settings.rateHz ?? frameRateHz;
      const rateHz = chunk.rateHz ?? expectedHz;
      if (rateHz !== expectedHz) {
        return refuse("wrong-rate", `rate_hz: expected ${expectedHz} MFCC frames a second, got ${rateHz}`);
      }
      const channels = chunk.channels ?? settings.channels;
      if (channels === undefined) {
        return refuse(
          "missing-field",
          "channels: expected the coefficients c0, c1, … in the payload or the settings, got none",
        );
      }
      const expected = settings.channels?.length ?? channels.length;
      if (channels.length !== expected || channels.some((name, i) => name !== `c${i}`)) {
        const got = `${channels.length} names from ${channels[0] ?? "none"}`;
        return refuse("wrong-channels", `channels: expected the coefficients c0 … c${expected - 1}, got ${got}`);
      }
      return blockOf({ ...chunk, rateHz, channels }, { context, runningTime });
    },
    encode: encodeBlock,
  };
};
