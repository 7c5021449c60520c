import type { Graph } from "../network/graph.ts";
import { ModelError } from "../network/model-error.ts";
import { checkGraph, showShape } from "../network/shapes.ts";
import { readArithmetic, readScaler } from "./affine-operators.ts";
import { readLinear, readNormalizer } from "./classical-operators.ts";
import { foldConstant } from "./fold-constants.ts";
import { GraphReader, NodeReader } from "./graph-reader.ts";
import { isChannelsFirst } from "./input-order.ts";
import { dimsOf, imageTensor, orderedTensor, placesOf, type Tensor } from "./layout.ts";
import { livePart, soughtOutput } from "./outputs.ts";
import {
  readActivation,
  readAdd,
  readClip,
  readConstant,
  readFlatten,
  readIdentity,
  readLeakyRelu,
  readReshape,
  readSoftmax,
  readSqueeze,
  readTranspose,
  readUnsqueeze,
} from "./plain-operators.ts";
import { readGather, readGru } from "./recurrent.ts";
import { decodeModel, type OnnxGraph, type OnnxModel, type OnnxValueInfo } from "./schema.ts";
import { readConcat, readGlobalMaxPool, readPad, readReduceMean } from "./spatial-operators.ts";
import { readBatchNorm, readConv, readDense, readGlobalAveragePool, readPool } from "./weighted-operators.ts";

const operators: Readonly<Record<string, (node: NodeReader) => void>> = {
  Add: readAdd,
  AveragePool: readPool,
  BatchNormalization: readBatchNorm,
  Cast: readIdentity,
  Clip: readClip,
  Concat: readConcat,
  Constant: readConstant,
  Conv: readConv,
  Div: readArithmetic,
  Dropout: readIdentity,
  Flatten: readFlatten,
  GRU: readGru,
  Gather: readGather,
  Gemm: readDense,
  GlobalAveragePool: readGlobalAveragePool,
  GlobalMaxPool: readGlobalMaxPool,
  Identity: readIdentity,
  LeakyRelu: readLeakyRelu,
  MatMul: readDense,
  MaxPool: readPool,
  Mul: readArithmetic,
  Pad: readPad,
  ReduceMean: readReduceMean,
  Relu: (node) => readActivation(node, "relu"),
  Reshape: readReshape,
  Sigmoid: (node) => readActivation(node, "sigmoid"),
  Softmax: readSoftmax,
  Squeeze: readSqueeze,
  Sub: readArithmetic,
  Tanh: (node) => readActivation(node, "tanh"),
  Transpose: readTranspose,
  Unsqueeze: readUnsqueeze,
  "ai.onnx.ml.LinearClassifier": readLinear,
  "ai.onnx.ml.LinearRegressor": readLinear,
  "ai.onnx.ml.Normalizer": readNormalizer,
  "ai.onnx.ml.Scaler": readScaler,
};

/**
 * Read an ONNX file as a graph, with channels last throughout. A file whose own input is channels first, as
 * PyTorch exports it (`[batch, channels, height, width]` or `[batch, channels, width]`), gives a graph whose input is
 * `[height, width, channels]`, height 1 for a signal: the caller gives channels last whatever the file had. The same
 * holds for the output. One input and one output; batch normalisation is kept (`foldBatchNorm` folds it).
 *
 * @throws ModelError for bytes that are no model, operators or data types that are not ours, missing initialisers
 *   and shapes that do not fit
 */
export const readOnnx = (bytes: Uint8Array): Graph => {
  const model = decode(bytes);
  const file = model.graph;
  if (!file?.node?.length) throw new ModelError("model: expected an ONNX file with a graph of nodes, got none");
  const opset = model.opsetImport?.find(({ domain }) => !domain || domain === "ai.onnx")?.version ?? 0;
  if (opset < 7) throw new ModelError(`model: expected opset 7 or later, got ${opset || "none"}`);

  const sought = soughtOutput(file);
  const live = livePart(file, sought);
  const reader = new GraphReader(live, opset);
  const input = onlyInput(live, reader);
  reader.setTensor(input.name, input.tensor);
  for (const onnx of live.node ?? []) {
    const name = [onnx.domain === "ai.onnx" ? "" : onnx.domain, onnx.opType].filter(Boolean).join(".");
    const read = operators[name];
    const node = new NodeReader(reader, onnx);
    if (foldConstant(node)) continue;
    if (read) read(node);
    else {
      const supported = Object.keys(operators).join(", ");
      throw new ModelError(`node ${onnx.name || onnx.output?.[0]}: expected one of ${supported}, got operator ${name}`);
    }
  }
  const graph: Graph = {
    name: file.name ?? "",
    input: input.tensor.value,
    output: outputOf(sought, reader).value,
    nodes: reader.nodes,
    metadata: Object.fromEntries((model.metadataProps ?? []).map(({ key, value }) => [key ?? "", value ?? ""])),
  };
  checkGraph(graph);
  return graph;
};

const decode = (bytes: Uint8Array): OnnxModel => {
  try {
    return decodeModel(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(`model: expected the bytes of an ONNX file, got ${bytes.length} that are none (${reason})`, {
      cause,
    });
  }
};

/** Dimensions behind the batch; undefined where the file has none or leaves them open. */
const declaredDims = (info: OnnxValueInfo): readonly (number | undefined)[] | undefined =>
  info.type?.tensorType?.shape?.dim?.slice(1).map((d) => d.dimValue || undefined);

const onlyInput = (file: OnnxGraph, reader: GraphReader): { name: string; tensor: Tensor } => {
  const inputs = (file.input ?? []).filter((info) => !reader.findConstant(info.name));
  const info = inputs[0];
  if (!info || inputs.length > 1) throw new ModelError(`model: expected one input, got ${inputs.length}`);
  const { name } = info;
  const batch = info.type?.tensorType?.shape?.dim?.[0]?.dimValue;
  if (batch && batch !== 1) throw new ModelError(`input ${name}: expected a batch of 1 or an open one, got ${batch}`);
  const declared = declaredDims(info);
  const dims = declared?.flatMap((n) => n ?? []) ?? [];
  if (!declared || dims.length !== declared.length || dims.length < 1 || dims.length > 3 || dims.some((n) => n < 1)) {
    const got = declared ? showShape(["batch", ...declared.map((n) => n ?? "open")] as unknown as number[]) : "none";
    throw new ModelError(`input ${name}: expected a fixed shape of 1 to 3 axes behind the batch, got ${got}`);
  }
  return { name, tensor: inputTensor(name, dims, isChannelsFirst(file, name)) };
};

const inputTensor = (name: string, dims: readonly number[], channelsFirst: boolean): Tensor => {
  if (dims.length === 1) return orderedTensor({ name, shape: dims }, dims);
  const spatial = channelsFirst ? [...dims.slice(1), dims[0]!] : dims;
  const shape = spatial.length === 2 ? [1, ...spatial] : spatial;
  return channelsFirst ? imageTensor({ name, shape }, dims.length) : orderedTensor({ name, shape }, dims);
};

const outputOf = (info: OnnxValueInfo, reader: GraphReader): Tensor => {
  const tensor = reader.findTensor(info.name);
  if (!tensor) throw new ModelError(`output ${info.name}: expected a node that gives it, got none`);
  const dims = dimsOf(tensor);
  const declared = declaredDims(info) ?? dims;
  if (declared.length !== dims.length || declared.some((n, i) => n !== undefined && n !== dims[i])) {
    const wanted = showShape(declared.map((n) => n ?? 0));
    throw new ModelError(`output ${info.name}: expected ${wanted} as the file declares, got ${showShape(dims)}`);
  }
  if (tensor.flattenedBy && placesOf(tensor).some((place, i) => place !== i)) {
    throw new ModelError(`output ${info.name}: expected a layer with weights behind a flattened image, got none`);
  }
  return tensor;
};
