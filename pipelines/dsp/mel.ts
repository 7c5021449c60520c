/** Frequency in mel, `1127 ln(1 + f/700)` (O'Shaughnessy 1987, natural logarithm as in HTK). */
export const hzToMel = (hz: number): number => 1127 * Math.log1p(hz / 700);

/** Frequency in hertz of a point of the mel scale. */
export const melToHz = (mel: number): number => 700 * Math.expm1(mel / 1127);

/** Triangles over the bins of a power spectrum, each with a peak of 1, equally spaced and straight-sided in mel. */
export interface MelBands {
  readonly bands: number;
  /** First bin of each band, then its weights: sparse rows of a `[bands × bins]` matrix. */
  readonly rows: readonly { readonly firstBin: number; readonly weights: Float64Array }[];
  /** Centre of each band, Hz. */
  readonly centresHz: readonly number[];
}

/**
 * Lay `bands` triangles between `lowHz` and `highHz` over the bins of an FFT of `fftSamples` at `sampleRateHz`.
 *
 * @throws RangeError unless 0 ≤ lowHz < highHz ≤ half the sample rate, or when a band holds no bin.
 */
export const melBands = (spec: {
  readonly bands: number;
  readonly lowHz: number;
  readonly highHz: number;
  readonly fftSamples: number;
  readonly sampleRateHz: number;
}): MelBands => {
  const { bands, lowHz, highHz, fftSamples, sampleRateHz } = spec;
  if (!(lowHz >= 0 && lowHz < highHz && highHz <= sampleRateHz / 2)) {
    throw new RangeError(`lowHz, highHz: expected 0 ≤ low < high ≤ ${sampleRateHz / 2} Hz, got ${lowHz} and ${highHz}`);
  }
  const low = hzToMel(lowHz);
  const spacing = (hzToMel(highHz) - low) / (bands + 1);
  const rows = Array.from({ length: bands }, (_, band) => {
    const centre = low + (band + 1) * spacing;
    const weights: number[] = [];
    let firstBin = 0;
    for (let bin = 0; bin <= fftSamples / 2; bin++) {
      const weight = 1 - Math.abs(hzToMel((bin * sampleRateHz) / fftSamples) - centre) / spacing;
      if (weight <= 0) continue;
      if (weights.length === 0) firstBin = bin;
      weights.push(weight);
    }
    if (weights.length === 0) {
      throw new RangeError(
        `bands: expected bands wide enough to hold a bin, got ${bands} of which number ${band} is empty`,
      );
    }
    return { firstBin, weights: Float64Array.from(weights) };
  });
  return { bands, rows, centresHz: rows.map((_, band) => melToHz(low + (band + 1) * spacing)) };
};

/** Write the power in each band into `out` [bands]; `power` is [bins]. */
export const melPowerInto = ({ rows }: MelBands, power: Float64Array, out: Float64Array): void => {
  for (let band = 0; band < rows.length; band++) {
    const { firstBin, weights } = rows[band]!;
    let sum = 0;
    for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[firstBin + i]!;
    out[band] = sum;
  }
};
