import { filter, map, type OperatorFunction, pipe } from "rxjs";
import type { Model } from "../../models/model.ts";
import { dequantiseInto } from "../../models/quantisation.ts";
import { argmax, sizeOf } from "../../models/tensor.ts";
import type { Classification, QuantisedFeatures } from "../signal.ts";
import { askOf, scoreMargin } from "./ask.ts";

/**
 * Ask a classifier: codes in, the most probable label out. The outputs of its network are the probabilities.
 *
 *   quantised         --[codes]------|
 *                     classify(model)
 *   classifications   --V, 0.97------|
 *
 * The input and output buffers of the network are shared by all subscriptions; each answer owns its scores. An answer
 * within the noise of the chip is treated as the doubt of the model says; a chip that must not answer gives nothing.
 *
 * @throws RangeError at once, when labels, features and network do not fit each other
 */
export const classify = (model: Model): OperatorFunction<QuantisedFeatures, Classification> => {
  const { manifest, network } = model;
  checkFit(model, manifest.labels.length);
  const input = new Float32Array(sizeOf(network.inputShape));
  const ask = askOf(model);
  const answer = ({ tensor, ...when }: QuantisedFeatures): Classification => {
    dequantiseInto(tensor, input);
    const scores = new Float32Array(manifest.labels.length);
    const assurance = ask(input, scores, scoreMargin);
    const best = argmax(scores);
    const probability = scores[best]!;
    const second = scores.reduce((max, score, i) => (i === best ? max : Math.max(max, score)), 0);
    const label = manifest.labels[best]!;
    return { ...when, label, probability, scores, margin: probability - second, model: manifest.name, ...assurance };
  };
  return pipe(
    filter(() => mayAnswer(model)),
    map(answer),
  );
};

/** Whether the chip of a model may answer at all. */
export const mayAnswer = ({ doubt }: Model): boolean => doubt === undefined || doubt.mayAnswer();

/** Throw unless a network takes features of the contract's shape and gives `outputs` numbers. */
export const checkFit = ({ manifest, network }: Model, outputs: number): void => {
  const wanted = manifest.input.shape;
  if (sizeOf(network.inputShape) !== sizeOf(wanted)) {
    throw new RangeError(
      `${manifest.name}: expected a network that takes the features [${wanted.join(", ")}], got one for [${network.inputShape.join(", ")}]`,
    );
  }
  if (sizeOf(network.outputShape) !== outputs) {
    throw new RangeError(
      `${manifest.name}: expected a network with ${outputs} outputs, got [${network.outputShape.join(", ")}]`,
    );
  }
};
