/** What the writer adds to the name of a value whose channels come first in the file. The reader takes it off. */
export const channelsFirst = ":channels-first";
/** The same for a global mean before its two axes of size 1 are dropped. */
export const pooled = ":pooled";

/** The same for a reshaped value before its axes go channels first. */
export const reshaped = ":reshaped";

/** The state of a recurrent layer after its last step, and after each, before its axes are in our order. */
export const recurrentState = ":state";
export const recurrentSteps = ":states";

/** The value's name in the graph. */
export const plainName = (name: string): string =>
  [channelsFirst, pooled, reshaped, recurrentState, recurrentSteps].reduce(
    (n, end) => (n.endsWith(end) ? n.slice(0, -end.length) : n),
    name,
  );

/** `TensorProto.DataType` of the ONNX schema. */
export const floatType = 1;
export const int32Type = 6;
export const int64Type = 7;
export const doubleType = 11;
