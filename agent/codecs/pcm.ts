import { blockOf, fullScaleCounts, refuse, refuseSize } from "./chunk.ts";
import type { PayloadCodec } from "./payload-codec.ts";
import { RunningTime } from "./running-time.ts";
import { encodeData } from "./sample-data.ts";

/**
 * Raw samples and nothing else: rate, format (s16le unless set), channels and scale (full scale ±1 unless set) come
 * from the settings, the time from the block before or the receipt.
 */
export const createPcmCodec = (): PayloadCodec => {
  const runningTime = new RunningTime();
  return {
    name: "pcm",
    decode(payload, context) {
      const refused = refuseSize(payload);
      if (refused !== undefined) return refused;
      const { rateHz, format = "s16le", scale = 1 / fullScaleCounts[format] } = context.settings;
      if (rateHz === undefined) {
        return refuse("missing-field", "settings.rateHz: expected a rate in Hz, as raw samples have none, got none");
      }
      return blockOf(
        {
          t0Ns: undefined,
          rateHz,
          channels: undefined,
          scale,
          n: undefined,
          values: { data: payload, format },
          isLeadOff: false,
        },
        { context, runningTime },
      );
    },
    encode: (block, { format = "s16le", scale } = {}) => encodeData(block.samples, format, scale).data,
  };
};
