import { map, type OperatorFunction } from "rxjs";
import type { Shape } from "../../models/tensor.ts";
import { Welch } from "../dsp/welch.ts";
import type { SpectrumSettings } from "../features.ts";
import type { Features, Frame } from "../signal.ts";
import { featuresOf, standardised } from "./normalise.ts";

const silence = 1e-20; // power below it is none: keeps the logarithm finite

/**
 * Describe each frame of a single channel by its log power spectrum, whatever its gain:
 *
 *   P[k] by Welch, k = 1 … segmentSamples / 2, in `bands` groups of equal width
 *   L[b] = log₁₀ mean P in b,   x[b] = (L[b] − mean L − mean[b]) / std[b]
 *
 *   frames     --[4096]---------|
 *              spectrum({ segmentSamples: 1024, bands: 128, … }, [1, 128, 1])
 *   features   --[1, 128, 1]----|
 *
 * @throws RangeError at once unless `bands` divides segmentSamples / 2
 */
export const spectrum = (settings: SpectrumSettings, shape: Shape): OperatorFunction<Frame, Features> => {
  const { segmentSamples, segmentHopSamples, bands } = settings;
  const width = segmentSamples / 2 / bands;
  if (!Number.isInteger(width)) {
    throw new RangeError(`bands: expected a divisor of ${segmentSamples / 2} (segmentSamples / 2), got ${bands}`);
  }
  const welch = new Welch({ segmentSamples, hopSamples: segmentHopSamples });
  const power = new Float64Array(welch.bins); // written and read within a frame
  return map((frame) => {
    welch.powerInto(frame.samples, power);
    const levels = Float64Array.from({ length: bands }, (_, band) => {
      const from = 1 + band * width;
      return Math.log10(power.subarray(from, from + width).reduce((a, b) => a + b, 0) / width + silence);
    });
    const level = levels.reduce((a, b) => a + b, 0) / bands;
    return featuresOf(
      frame,
      shape,
      standardised(
        levels.map((l) => l - level),
        settings,
      ),
    );
  });
};
