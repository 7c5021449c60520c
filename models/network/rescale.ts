import type { AnalogNetwork } from "./analog.ts";
import { type OutputStatistics, outputStatistics } from "./output-statistics.ts";

/**
 * Digital factors γ and offsets δ that bring the outputs of an array back to what they should be, y ← γ y + δ, each output
 * by itself, from what an array gives for inputs and what W x is (¯ mean, σ standard deviation over their rows):
 *
 *   scales       γ = Σ (W x)² / Σ (W x) y        δ = 0                   the factor alone
 *   statistics   γ = σ(W x) / σ(y)               δ = mean(W x) − γ ȳ     mean and variance, as AdaBS (Joshi et al. 2020)
 *
 * The first fits layers whose inputs differ much in size: what is wrong with weights grows with the input, and an offset
 * does not. The second fits those where inputs are alike, as in convolutions: there it takes out what the error of weights
 * gives on average.
 */
export type Rescaling = "scales" | "statistics";

/** Factors beyond these are not believed: the output hardly moved. */
const [leastFactor, mostFactor] = [0.5, 2];

/**
 * Give every output of a chip a factor and an offset beside its drift compensation, which was just set. Takes an inference
 * an input. @param inputs out of the stream; none: nothing is done
 */
export const rescale = (network: AnalogNetwork, inputs: readonly Float32Array[], form: Rescaling): void => {
  for (const statistics of outputStatistics(network, inputs)) {
    const { factors, offsets } = form === "scales" ? scalesOf(statistics) : momentsOf(statistics);
    let done = -1;
    for (const tile of statistics.array.tiles) {
      const { outputFrom, outputs } = tile.place;
      const to = outputFrom + outputs;
      // Tiles of one output add up: the first has the offset.
      const added = outputFrom === done ? new Float64Array(outputs) : offsets.slice(outputFrom, to);
      tile.rescale(factors.slice(outputFrom, to), added);
      done = outputFrom;
    }
  }
};

/** Choose the ranges of all ADCs anew, as `rangesFor` says, by what inputs give. @param inputs none: by the drift alone */
export const chooseRanges = (network: AnalogNetwork, inputs: readonly Float32Array[]): void => {
  if (inputs.length === 0)
    for (const { tiles } of network.arrays.values()) for (const t of tiles) t.setRange(undefined);
  for (const { array, largest } of outputStatistics(network, inputs)) {
    // Tiles that hold digits of one W have parts of its sums, which are not seen here.
    const areDigits = array.tiles.some(({ place }, t) => place === array.tiles[t + 1]?.place);
    for (const [t, tile] of array.tiles.entries()) {
      tile.setRange(largest[t]! > 0 && !areDigits ? largest[t] : undefined);
    }
  }
};

interface Correction {
  readonly factors: Float64Array;
  readonly offsets: Float64Array;
}

const scalesOf = ({ wanted, wantedSquare, product }: OutputStatistics): Correction => ({
  factors: wantedSquare.map((square, o) => believed(square / product[o]!)),
  offsets: new Float64Array(wanted.length),
});

const momentsOf = ({ wanted, wantedSquare, given, givenSquare }: OutputStatistics): Correction => {
  const factors = wantedSquare.map((square, o) =>
    believed(Math.sqrt((square - wanted[o]! ** 2) / (givenSquare[o]! - given[o]! ** 2))),
  );
  return { factors, offsets: wanted.map((mean, o) => mean - factors[o]! * given[o]!) };
};

const believed = (factor: number): number => (factor >= leastFactor && factor <= mostFactor ? factor : 1);
