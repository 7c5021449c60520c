import type { Manifest } from "../../models/manifest.ts";
import type { AnswerNoise } from "../../models/model.ts";
import type { Network } from "../../models/network/network.ts";
import { sizeOf } from "../../models/tensor.ts";

/** Expected part of answers that differ from the digital twin's, 0 … 1: what accuracy can be lost at most. */
export interface Risk {
  readonly risk: number;
  /** Standard error of that. */
  readonly riskError: number;
}

/** What a chip answered to some inputs beside its twin. */
export interface Answers extends Risk {
  readonly noise: AnswerNoise;
  /** ln of the ratio that decides, of the twin, by input; of an autoencoder what its error may change by. */
  readonly margins: readonly number[];
  /** Inferences of the chip that it took. */
  readonly inferences: number;
}

/** ln of the ratio that decides between what the twin holds for best and for second best. */
type Decision = (output: Float32Array) => number;

/**
 * Compare a chip with its digital twin on inputs, each read `reads` times:
 *
 *   d        = ln(score a / score b)   a, b: best and second best of the twin; of an autoencoder ln of the error
 *   read²    = mean over inputs of the variance of d over reads
 *   lasting² = mean over inputs of (mean d − d of the twin)², less read² / reads
 *   risk     = mean over inputs of Φ(−d of the twin / √(lasting² + read²))
 *
 * Both variances are of the half of the inputs with the smallest margins, where they decide. The error of an autoencoder
 * is measured against no threshold here: its risk is the part of windows whose error grows by half or more.
 *
 * @throws RangeError for no inputs or less than 2 reads
 */
export const compareAnswers = (
  chip: Network,
  twin: Network,
  task: Manifest["task"],
  inputs: readonly Float32Array[],
  reads: number,
): Answers => {
  if (inputs.length === 0) throw new RangeError("inputs: expected at least one, got none");
  if (!(reads >= 2)) throw new RangeError(`reads: expected at least 2, got ${reads}`);
  const output = new Float32Array(sizeOf(twin.outputShape));
  const rows = inputs.map((input) => {
    twin.infer(input, output);
    const decisionOf = task === "classifier" ? betweenBestOf(output) : errorOf(input);
    const digital = decisionOf(output);
    const seen: number[] = [];
    for (let read = 0; read < reads; read++) {
      chip.infer(input, output);
      seen.push(decisionOf(output));
    }
    const mean = seen.reduce((a, b) => a + b, 0) / reads;
    const variance = seen.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (reads - 1);
    return { digital, square: (mean - digital) ** 2, variance };
  });
  const closest = [...rows].sort((a, b) => a.digital - b.digital).slice(0, Math.ceil(rows.length / 2));
  const among = task === "classifier" ? closest : rows;
  const meanOf = (of: (row: (typeof rows)[number]) => number) =>
    among.reduce((sum, r) => sum + of(r), 0) / among.length;
  const readSquare = meanOf((row) => row.variance);
  const lastingSquare = Math.max(0, meanOf((row) => row.square) - readSquare / reads);
  const noise = { lasting: Math.sqrt(lastingSquare), read: Math.sqrt(readSquare) };
  const margins = rows.map(({ digital }) => (task === "classifier" ? digital : nearThreshold));
  return { noise, margins, ...riskOf(margins, noise), inferences: reads * inputs.length };
};

/** No threshold is known here: ln of the error may change by so much. */
const nearThreshold = Math.log(1.5);

/** The risk of inputs with these margins on a chip with that noise. */
export const riskOf = (margins: readonly number[], { lasting, read }: AnswerNoise): Risk => {
  const sigma = Math.max(Math.hypot(lasting, read), 1e-12);
  const risks = margins.map((margin) => below(-margin / sigma));
  const risk = risks.reduce((a, b) => a + b, 0) / risks.length;
  // Beside what the inputs differ by, sigma itself is known to one part in √n only: half of them, two values each.
  const spread = risks.reduce((sum, r) => sum + (r - risk) ** 2, 0) / Math.max(1, risks.length - 1);
  return { risk, riskError: Math.sqrt((spread + risk ** 2) / risks.length) };
};

const least = 1e-38;

const betweenBestOf = (scores: Float32Array): Decision => {
  let a = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[a]!) a = i;
  let b = a === 0 ? 1 : 0;
  for (let i = 0; i < scores.length; i++) if (i !== a && scores[i]! > scores[b]!) b = i;
  return (output) => Math.log(Math.max(output[a]!, least)) - Math.log(Math.max(output[b] ?? 0, least));
};

const errorOf =
  (input: Float32Array): Decision =>
  (output) => {
    let sum = 0;
    for (let i = 0; i < input.length; i++) sum += (output[i]! - input[i]!) ** 2;
    return Math.log(Math.max(sum / input.length, least));
  };

/** Φ(z): how much of N(0, 1) lies below z (Abramowitz and Stegun 26.2.17, to 7.5e-8). */
export const below = (z: number): number => {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return z > 0 ? 1 - tail : tail;
};
