import { encodePcm } from "../recordings/wav.ts";
import { fullScaleCounts } from "./chunk.ts";
import type { SampleFormat } from "./payload-codec.ts";

/** Physical samples as bytes: `counts = sample / scale`; full scale of integers is ±1 unless a scale is given. */
export const encodeData = (
  samples: Float32Array,
  format: SampleFormat,
  scale: number = 1 / fullScaleCounts[format],
): { readonly data: Uint8Array; readonly scale: number } => {
  const fullScale = scale * fullScaleCounts[format];
  return { data: encodePcm(fullScale === 1 ? samples : samples.map((x) => x / fullScale), format), scale };
};
