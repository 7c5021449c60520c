import type { Manifest } from "../../models/manifest.ts";
import type { AnswerNoise } from "../../models/model.ts";
import type { Network } from "../../models/network/network.ts";
import { argmax, sizeOf } from "../../models/tensor.ts";

/** Expected part of answers that differ from the digital twin's, 0 … 1: what accuracy can be lost at most. */
export interface Risk {
  readonly risk: number;
  /** Standard error of that. */
  readonly riskError: number;
}

/** What a look at a chip showed, to be compared with later looks. */
export interface Seen {
  readonly noise: AnswerNoise;
  /** Part of the inputs themselves that the chip decides otherwise; undefined where what decides is not among them. */
  readonly direct?: Risk;
  /** How many inputs there were: the noise is known to one part in their root. */
  readonly inputs: number;
}

/** What a chip answered to some inputs beside its twin. */
export interface Answers extends Risk, Seen {
  /** ln of the ratio that decides, of the twin, by input; none of a network that is judged by its error. */
  readonly margins: readonly number[];
  /** The same of the inputs themselves, where `margins` are those of a stream. */
  readonly inputMargins: readonly number[];
  /** Inferences of the chip that it took. */
  readonly inferences: number;
}

/** How an autoencoder decides: by the median of the errors of so many windows, each from some number of it on. */
export interface Scoring {
  readonly smoothed: number;
  readonly scoredFrom: number;
}

/** ln of the ratio that decides for what the twin holds for best. */
type Decision = (output: Float32Array) => number;

/**
 * Compare a chip with its digital twin on inputs, each read `reads` times:
 *
 *   d        = ln(score a / best other score)   a: best of the twin; of an autoencoder and a forecaster ln of the error
 *   read²    = mean over inputs of the variance of d over reads
 *   lasting² = mean over inputs of (mean d − d of the twin)², less read² / reads
 *   risk     = mean over margins of Φ(−margin / √(lasting² + read²))     margin: d of the twin, or what a stream showed
 *   direct   = mean over inputs of Φ(−mean d / read)                     of a classifier
 *
 * Both variances are of the half of the inputs with the smallest margins, where they decide. `risk` takes the noise for
 * alike in all answers, and knows it well from few of them; `direct` does not, and needs many: where errors gather in one
 * class it alone sees them, and it counts where it is more, by more than its error, than margins of the same inputs give.
 *
 * An autoencoder decides by the median of the errors of `smoothed` windows, whose read noise is less by √(π/2 / smoothed);
 * what lasts is much the same in windows that overlap. What decides, its threshold and the errors before, is not known here:
 * without margins of a stream the risk is not known (NaN), nor is that of a forecaster. A network with a state takes the inputs in their order,
 * from a state of zeros.
 *
 * @throws RangeError for no inputs or less than 2 reads
 */
export const compareAnswers = (
  chip: Network,
  twin: Network,
  task: Manifest["task"],
  inputs: readonly Float32Array[],
  reads: number,
  { smoothed, scoredFrom }: Scoring = { smoothed: 1, scoredFrom: 0 },
): Answers => {
  if (inputs.length === 0) throw new RangeError("inputs: expected at least one, got none");
  if (!(reads >= 2)) throw new RangeError(`reads: expected at least 2, got ${reads}`);
  const isClassifier = task === "classifier";
  const exact = answersOf(twin, inputs);
  const seen = Array.from({ length: reads }, () => answersOf(chip, inputs));
  const rows = exact.flatMap((output, i) => {
    const asked = task === "forecaster" ? inputs[i + 1] : inputs[i];
    if (asked === undefined) return [];
    const decisionOf = isClassifier ? forBestOf(output) : errorOf(asked, scoredFrom);
    const digital = decisionOf(output);
    const values = seen.map((outputs) => decisionOf(outputs[i]!));
    const mean = values.reduce((a, b) => a + b, 0) / reads;
    const variance = values.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (reads - 1);
    return [{ digital, mean, square: (mean - digital) ** 2, variance }];
  });
  const closest = [...rows].sort((a, b) => a.digital - b.digital).slice(0, Math.ceil(rows.length / 2));
  const among = isClassifier ? closest : rows;
  const meanOf = (of: (row: (typeof rows)[number]) => number) =>
    among.reduce((sum, r) => sum + of(r), 0) / among.length;
  const readSquare = meanOf((row) => row.variance);
  const lastingSquare = Math.max(0, meanOf((row) => row.square) - readSquare / reads);
  const smoothing = smoothed > 1 ? Math.PI / 2 / smoothed : 1;
  const noise = { lasting: Math.sqrt(lastingSquare), read: Math.sqrt(readSquare * Math.min(1, smoothing)) };
  const margins = isClassifier ? rows.map(({ digital }) => digital) : [];
  const direct = isClassifier ? directRisk(rows, Math.sqrt(readSquare)) : undefined;
  const seenHere = { noise, ...(direct && { direct }), inputs: inputs.length };
  const here = { ...seenHere, margins, inputMargins: margins, inferences: reads * inputs.length };
  return { ...here, ...riskIn(here) };
};

/** What a network gives for inputs in their order. */
const answersOf = (network: Network, inputs: readonly Float32Array[]): readonly Float32Array[] => {
  for (const state of network.states ?? []) state.fill(0);
  return inputs.map((input) => {
    const output = new Float32Array(sizeOf(network.outputShape));
    network.infer(input, output);
    return output;
  });
};

/** The risk of answers with these margins, at least one, on a chip with that noise, which was measured on so many inputs. */
export const riskOf = (
  margins: readonly number[],
  { lasting, read }: AnswerNoise,
  inputs: number = margins.length,
): Risk => {
  const sigma = Math.max(Math.hypot(lasting, read), 1e-12);
  const { mean: risk, square } = meanWithError(margins.map((margin) => below(-margin / sigma)));
  // Beside what the margins differ by, sigma itself is known to one part in √inputs only: half of them, two values each.
  return { risk, riskError: Math.sqrt(square + risk ** 2 / inputs) };
};

/** The part of inputs that reads decide otherwise, with an error of one in all where none does. */
const directRisk = (rows: readonly { readonly mean: number }[], read: number): Risk => {
  const { mean: risk, square } = meanWithError(rows.map(({ mean }) => below(-mean / Math.max(read, 1e-12))));
  return { risk, riskError: Math.sqrt(square + rows.length ** -2) };
};

/** Mean of values, and the square of its standard error. */
const meanWithError = (values: readonly number[]): { readonly mean: number; readonly square: number } => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(1, values.length - 1);
  return { mean, square: variance / values.length };
};

/** The risk of what was seen: by margins, or what the inputs themselves show where that is clearly more than theirs let expect. */
export const riskIn = ({
  noise,
  direct,
  inputs,
  margins,
  inputMargins,
}: Seen & Pick<Answers, "margins" | "inputMargins">): Risk =>
  direct !== undefined && direct.risk - riskOf(inputMargins, noise, inputs).risk > direct.riskError
    ? direct
    : riskOf(margins, noise, inputs);

const least = 1e-38;

const forBestOf = (scores: Float32Array): Decision => {
  const a = argmax(scores);
  return (output) => {
    let other = least;
    for (let i = 0; i < output.length; i++) if (i !== a) other = Math.max(other, output[i]!);
    return Math.log(Math.max(output[a]!, least)) - Math.log(other);
  };
};

const errorOf =
  (input: Float32Array, from: number): Decision =>
  (output) => {
    let sum = 0;
    for (let i = from; i < input.length; i++) sum += (output[i]! - input[i]!) ** 2;
    return Math.log(Math.max(sum / (input.length - from), least));
  };

/** Φ(z): how much of N(0, 1) lies below z (Abramowitz and Stegun 26.2.17, to 7.5e-8). */
export const below = (z: number): number => {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z > 0 ? 1 - tail : tail;
};
