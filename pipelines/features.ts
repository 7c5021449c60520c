import type { InputContract } from "../models/manifest.ts";

/** MFCCs of sound: log-mel bands → orthonormal DCT-II → `(x − mean) / std` per coefficient; shape `[1, frames, coefficients]`. */
export interface MfccSettings {
  readonly kind: "mfcc";
  readonly frameSamples: number;
  readonly hopSamples: number;
  readonly fftSamples: number;
  readonly melBands: number;
  readonly lowHz: number;
  readonly highHz: number;
  readonly coefficients: number;
  /** Of each coefficient; shorter lists repeat. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** What one channel of a beat's features holds; see `operators/beat-features.ts`. */
export const beatChannels = [
  "beat",
  "template",
  "rhythm-a",
  "rhythm-b",
  "rhythm-c",
  "shape-a",
  "shape-b",
  "shape-c",
] as const;
export type BeatChannel = (typeof beatChannels)[number];

/** A heart beat around its R peak with what is usual for the heart; shape `[1, samples, channels]`. */
export interface BeatSettings {
  readonly kind: "beat";
  /** Band that is kept of the signal, Hz, and the Butterworth order of each of its edges. */
  readonly lowHz: number;
  readonly highHz: number;
  readonly order: number;
  readonly channels: readonly BeatChannel[];
}

/** Log power spectrum by Welch, gain taken out; shape `[1, bands, 1]`. */
export interface SpectrumSettings {
  readonly kind: "spectrum";
  readonly segmentSamples: number;
  readonly segmentHopSamples: number;
  readonly bands: number;
  /** Of each band; shorter lists repeat. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A multivariate window in standard deviations of the stream's own beginning; shape `[1, rows, channels]` or flat. */
export interface StandardisedSettings {
  readonly kind: "standardised";
  /** Rows at the start of a stream from which mean, standard deviation and threshold are learned. */
  readonly baselineRows: number;
  /** Standardised values beyond ± this are cut. */
  readonly clip: number;
  /** Smallest standard deviation, as a share of the channel's |mean|. */
  readonly relativeStdFloor: number;
  /** The error is the mean square over the last so many rows of a window. */
  readonly scoredRows: number;
  /** The error is the median of so many windows, the newest last. */
  readonly smoothWindows: number;
  /** The threshold is this quantile of the baseline's errors, times the factor. */
  readonly thresholdQuantile: number;
  readonly thresholdFactor: number;
}

/** Rows in standard deviations of the stream's own beginning, each forecast from those before; shape `[1, steps, channels]`. */
export interface ForecastSettings {
  readonly kind: "forecast";
  /** Rows at the start of a stream from which mean and standard deviation are learned. */
  readonly baselineRows: number;
  /** Standardised values beyond ± this are cut. */
  readonly clip: number;
  /** Smallest standard deviation, as a share of the channel's |mean|. */
  readonly relativeStdFloor: number;
  /** Errors before the first score, errors that mean and spread are taken over, and the last of them that are judged. */
  readonly warmUpRows: number;
  readonly memoryRows: number;
  readonly shortRows: number;
  /** Added to the spread of the errors, in standard deviations of the stream: what is always forgiven. */
  readonly errorFloor: number;
  /** Errors that are so many spreads above the mean have score 1. */
  readonly threshold: number;
}

export type FeatureSettings = MfccSettings | BeatSettings | SpectrumSettings | StandardisedSettings | ForecastSettings;
type Kind = FeatureSettings["kind"];

/** Ranges of the numbers of each kind; whole where the third is "integer". */
const ranges: Readonly<Record<Kind, Readonly<Record<string, readonly [low: number, high: number, "integer"?]>>>> = {
  mfcc: {
    frameSamples: [1, 65536, "integer"],
    hopSamples: [1, 65536, "integer"],
    fftSamples: [2, 65536, "integer"],
    melBands: [1, 256, "integer"],
    lowHz: [0, 1e6],
    highHz: [0, 1e6],
    coefficients: [1, 256, "integer"],
  },
  beat: { lowHz: [0, 1e6], highHz: [0, 1e6], order: [1, 12, "integer"] },
  spectrum: {
    segmentSamples: [2, 65536, "integer"],
    segmentHopSamples: [1, 65536, "integer"],
    bands: [1, 32768, "integer"],
  },
  forecast: {
    baselineRows: [2, 1e6, "integer"],
    clip: [0, 1e6],
    relativeStdFloor: [0, 1],
    warmUpRows: [2, 1e6, "integer"],
    memoryRows: [2, 1e6, "integer"],
    shortRows: [1, 1e6, "integer"],
    errorFloor: [0, 1e6],
    threshold: [1e-6, 1e6],
  },
  standardised: {
    baselineRows: [2, 1e6, "integer"],
    clip: [0, 1e6],
    relativeStdFloor: [0, 1],
    scoredRows: [1, 1e6, "integer"],
    smoothWindows: [1, 1000, "integer"],
    thresholdQuantile: [0, 1],
    thresholdFactor: [0, 1e6],
  },
};

/**
 * The settings of a model's front end, checked.
 *
 * @throws RangeError naming the first setting that is missing or out of range
 */
export const featureSettings = <K extends Kind>(
  input: InputContract,
  kind: K,
): Extract<FeatureSettings, { kind: K }> => {
  const given = input.features;
  if (given.kind !== kind)
    throw new RangeError(`input.features.kind: expected ${kind} for this modality, got ${given.kind}`);
  for (const [name, [low, high, integer]] of Object.entries(ranges[kind])) {
    const value = given[name];
    const fits = typeof value === "number" && value >= low && value <= high && (!integer || Number.isInteger(value));
    if (fits) continue;
    throw new RangeError(`input.features.${name}: expected ${integer ?? "a number"} in ${low} … ${high}, got ${value}`);
  }
  if (kind === "mfcc" || kind === "spectrum") {
    checkList(given, "mean", Number.isFinite, "finite numbers");
    checkList(given, "std", (v) => Number.isFinite(v) && (v as number) > 0, "numbers > 0");
  }
  if (kind === "beat") {
    checkList(
      given,
      "channels",
      (v) => beatChannels.includes(v as BeatChannel),
      `names out of ${beatChannels.join(", ")}`,
    );
  }
  return given as unknown as Extract<FeatureSettings, { kind: K }>;
};

const checkList = (
  given: Readonly<Record<string, unknown>>,
  name: string,
  fits: (v: unknown) => boolean,
  expected: string,
) => {
  const list = given[name];
  if (Array.isArray(list) && list.length > 0 && list.every(fits)) return;
  throw new RangeError(`input.features.${name}: expected a list of ${expected}, got ${JSON.stringify(list)}`);
};

/** Throw unless a contract's shape is one of those that its other settings make. */
export const checkShape = (input: InputContract, ...made: readonly (readonly number[])[]): void => {
  if (made.some((shape) => shape.join() === input.shape.join())) return;
  const expected = made.map((shape) => `[${shape.join(", ")}]`).join(" or ");
  throw new RangeError(`input.shape: expected ${expected} by the other settings, got [${input.shape.join(", ")}]`);
};
