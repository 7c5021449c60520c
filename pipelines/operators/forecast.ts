import { filter, type OperatorFunction, pipe } from "rxjs";
import type { Model } from "../../models/model.ts";
import { dequantiseInto } from "../../models/quantisation.ts";
import { sizeOf } from "../../models/tensor.ts";
import { errorOf, ForecastJudge } from "../decisions/forecast-judge.ts";
import type { ForecastSettings } from "../features.ts";
import type { Classification, QuantisedFeatures } from "../signal.ts";
import { mayAnswer } from "./classify.ts";
import { type Step, stateful } from "./stateful.ts";

/**
 * Score each row by how far it is from what the network forecast after the row before; see `ForecastJudge`. The network
 * takes a row an inference and carries its state from one to the next; each subscription has a state of its own, a gap
 * sets it back to 0, and the row after has no score. A chip that must not answer gives nothing.
 *
 *   rows              --x x x x x---x---|
 *                     forecast(model, settings)       here a warm-up of three errors
 *   classifications   ----------·---·---|
 *
 * @throws RangeError at once, when the network does not take one row and give one
 */
export const forecast = (
  model: Model,
  settings: ForecastSettings,
): OperatorFunction<QuantisedFeatures, Classification> => {
  const { network, manifest } = model;
  const { name, labels, input } = manifest;
  const channels = input.channels.length;
  if (sizeOf(network.inputShape) !== channels || sizeOf(network.outputShape) !== channels) {
    throw new RangeError(
      `${name}: expected a network that takes and gives one row of ${channels}, got [${network.inputShape.join(", ")}]`,
    );
  }
  const judged = stateful((): Step<QuantisedFeatures, Classification> => {
    const live = network.states ?? [];
    const mine = live.map((state) => new Float32Array(state.length));
    const judge = new ForecastJudge(settings);
    const row = new Float32Array(channels);
    const expected = new Float32Array(channels);
    let hasForecast = false;
    return {
      *take({ tensor, ...when }) {
        if (when.afterGap) {
          for (const state of mine) state.fill(0);
          hasForecast = false;
        }
        dequantiseInto(tensor, row);
        const value = hasForecast ? judge.take(errorOf(row, expected)) : undefined;
        for (const [i, state] of mine.entries()) live[i]!.set(state);
        network.infer(row, expected);
        for (const [i, state] of mine.entries()) state.set(live[i]!);
        hasForecast = true;
        if (value === undefined) return;
        const score = Math.max(0, value);
        const label = labels[score >= 1 ? 1 : 0]!;
        const scores = Float32Array.of(score);
        yield { ...when, label, probability: score / (score + 1), scores, margin: Math.abs(score - 1), model: name };
      },
    };
  });
  return pipe(
    filter(() => mayAnswer(model)),
    judged,
  );
};
