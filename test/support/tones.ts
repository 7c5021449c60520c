import type { SampleBlock } from "../../pipelines/signal.ts";

/** Rate of the tone model of `tiny-models.ts`. */
export const toneRateHz = 12_000;
/** When second 0 of the tones is, ns since 1970. */
export const tonesStartNs = 1_700_000_000_000_000_000n;

/** One second of a tone for the tone model, with a little deterministic noise so that no band is empty. */
export const toneBlock = (second: number, hertz: number, amplitude = 1): SampleBlock => ({
  stream: "bearing",
  startAtNs: tonesStartNs + BigInt(second) * 1_000_000_000n,
  sampleRateHz: toneRateHz,
  channels: ["acceleration"],
  samples: Float32Array.from({ length: toneRateHz }, (_, i) => {
    const noise = Math.sin((i + 1) ** 2 * 12.9898) * 0.01;
    return amplitude * (Math.sin((2 * Math.PI * hertz * i) / toneRateHz) + noise);
  }),
});
