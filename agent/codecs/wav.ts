import { decodeWav, encodeWav } from "../recordings/wav.ts";
import { blockOf, limits, refuse, refuseSize } from "./chunk.ts";
import type { PayloadCodec } from "./payload-codec.ts";
import { RunningTime } from "./running-time.ts";

/**
 * A complete WAV in each message, as Hermes audio frames are: rate and format from its header, names of the channels
 * from the settings, the time from the block before or the receipt. Full scale is ±1, times 32768 · `scale` if set.
 */
export const createWavCodec = (): PayloadCodec => {
  const runningTime = new RunningTime();
  return {
    name: "wav",
    decode(payload, context) {
      const refused = refuseSize(payload);
      if (refused !== undefined) return refused;
      const result = decodeWav(payload);
      if (!result.ok) return refuse("malformed", `payload: ${result.problem}`);
      const { sampleRateHz, channels, samples } = result.wav;
      const names = context.settings.channels;
      if (channels > limits.channels || (names !== undefined && names.length !== channels)) {
        const expected = names === undefined ? `at most ${limits.channels}` : `${names.length} (${names.join(", ")})`;
        return refuse("wrong-channels", `channels: expected ${expected} as in the settings, got ${channels}`);
      }
      return blockOf(
        {
          t0Ns: undefined,
          rateHz: sampleRateHz,
          channels: names ?? (channels === 1 ? ["signal"] : Array.from({ length: channels }, (_, i) => `signal${i}`)),
          scale: (context.settings.scale ?? 1 / 32768) * 32768,
          n: undefined,
          values: samples,
          isLeadOff: false,
        },
        { context, runningTime },
      );
    },
    encode: ({ samples, channels, sampleRateHz }, { format = "s16le", scale = 1 / 32768 } = {}) =>
      encodeWav({
        sampleRateHz,
        channels: channels.length,
        format,
        samples: scale === 1 / 32768 ? samples : samples.map((x) => x / (scale * 32768)),
      }),
  };
};
