import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { InputContract, Manifest } from "../../models/manifest.ts";
import { DigitalNetwork } from "../../models/network/digital.ts";
import type { Graph } from "../../models/network/graph.ts";
import { readOnnx } from "../../models/onnx/read.ts";
import type { Quantisation } from "../../models/quantisation.ts";
import { argmax, sizeOf } from "../../models/tensor.ts";
import { IntegerNetwork } from "../../models/tflite/integer-network.ts";
import { graphOf } from "../../models/tflite/read.ts";
import { decodeTflite, isTflite, type TfliteFile } from "../../models/tflite/schema.ts";
import { frontEnd } from "../../pipelines/pipeline.ts";
import { readContract } from "../datasets/contract.ts";
import { readVectors } from "../datasets/vectors.ts";
import { makeModel } from "../evaluation/make-model.ts";
import { usingModel } from "../models.ts";
import { ExitError, exitCodes } from "./exit.ts";
import { integerIn } from "./options.ts";

interface ImportOptions {
  readonly labels: readonly string[];
  readonly calibration: string;
  readonly out: string;
  readonly name?: string;
  readonly task: Manifest["task"];
  readonly contract?: string;
  readonly codes?: Quantisation;
  readonly samples?: number;
  readonly pairs: number;
  readonly dacBits: number;
  readonly adcBits: number;
  readonly json?: boolean;
}

const labelsOf = (text: string): readonly string[] => {
  const list = existsSync(text) ? readFileSync(text, "utf8").split(/\r?\n/) : text.split(",");
  const labels = list.map((label) => label.trim()).filter(Boolean);
  if (labels.length < 2) throw new InvalidArgumentError(`expected at least two labels, got ${labels.length}`);
  return labels;
};

const codesOf = (text: string): Quantisation => {
  const [scale = 0, zeroPoint = 0] = text.split(",").map(Number);
  if (scale > 0 && Number.isInteger(zeroPoint)) return { scale, zeroPoint };
  throw new InvalidArgumentError(`expected SCALE,ZERO such as 0.58,83, got ${JSON.stringify(text)}`);
};

/** `import`: a network from elsewhere → a model with ranges of its converters set, not retrained. */
export const importCommand = (): Command =>
  new Command("import")
    .description(
      "bring a network from elsewhere (ONNX, TFLite float or int8): sets the ranges of its converters, retrains nothing",
    )
    .argument("<file>", "an .onnx or .tflite file")
    .addOption(
      new Option("--labels <list>", "a,b,c in the order of the outputs, or a file with one a line")
        .argParser(labelsOf)
        .makeOptionMandatory(),
    )
    .requiredOption("--calibration <file>", "features to set ranges by: .npy, or .bin of int8 codes")
    .requiredOption("--out <file>", "the model, an .onnx file")
    .option("--name <name>", "name of the model; left out, that of the file")
    .addOption(new Option("--task <task>", "what it does").choices(["classifier", "autoencoder"]).default("classifier"))
    .option("--contract <file>", "modality and input as in a recipe (YAML), so that streams can run through it")
    .addOption(
      new Option(
        "--codes <scale,zero>",
        "what int8 codes of features stand for; left out, as the TFLite file says",
      ).argParser(codesOf),
    )
    .option("--samples <n>", "features to take from the start of the file; left out, all", integerIn(1, 1e6))
    .option("--pairs <n>", "pairs of devices that hold each weight together", integerIn(1, 16), 4)
    .option("--dac-bits <n>", "bits of the DACs", integerIn(2, 12), 8)
    .option("--adc-bits <n>", "bits of the ADCs", integerIn(2, 16), 10)
    .option("--json", "one JSON object on stdout")
    .addHelpText(
      "after",
      "\nExample:\n  ohmwatch import kws.tflite --labels down,go,left,no,off,on,right,stop,up,yes,silence,unknown \\\n    --calibration features.npy --out kws.onnx\n  ohmwatch eval --model kws.onnx --data FOLDER",
    )
    .action((path: string, options: ImportOptions) => {
      const report = usingModel(path, () => bring(path, options));
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : textOf(report));
    });

const bring = (path: string, options: ImportOptions) => {
  const bytes = read(path);
  const file = isTflite(bytes) ? decodeTflite(bytes) : undefined;
  const graph = file ? graphOf(file) : readOnnx(bytes);
  const integer = file && isInteger(file) ? new IntegerNetwork(file) : undefined;
  const codes = options.codes ?? integer?.input;
  const samples = readVectors(options.calibration, sizeOf(graph.input.shape), codes).slice(0, options.samples);
  const name = options.name ?? basename(path, extname(path));
  const { modality, input } = contractOf(options, graph, samples, codes);
  const { labels, task, pairs, dacBits, adcBits } = options;
  const described = {
    ...{ name, version: "0.0.0", modality, task, labels, decisions: [] },
    mapping: { dacBits, adcBits, tileInputs: 256, tileOutputs: 256, hardware: { pairs, scaleByColumn: true } },
  };
  const made = makeModel(graph, described, input, samples, {
    ...{
      recipe: basename(path),
      seed: 0,
      command: `ohmwatch import ${basename(path)} --calibration ${basename(options.calibration)}`,
    },
  });
  if (modality !== "vectors") frontEnd({ ...described, input }, {}); // refuses a contract that does not fit
  write(options.out, made.bytes);
  const { ranges } = made.manifest.mapping;
  return {
    model: options.out,
    name,
    format: file ? `TFLite, ${integer ? "int8" : "float"}` : "ONNX",
    input: input.shape,
    layers: made.graph.nodes.filter((node) => "weights" in node).length,
    weights: made.graph.nodes.reduce((sum, node) => sum + ("weights" in node ? node.weights.length : 0), 0),
    tiles: Object.values(ranges).reduce((sum, { tileOutputMax }) => sum + tileOutputMax.length, 0),
    ...{ pairs, dacBits, adcBits },
    calibrationSamples: samples.length,
    ...(integer && { sameAnswerAsInt8: agreement(integer, made.graph, samples) }),
  };
};

/** A file whose values are int8, but for floats at its borders. */
const isInteger = ({ tensors, inputs, operators }: TfliteFile): boolean =>
  tensors[inputs[0] ?? -1]?.type === "int8" || operators[0]?.name === "QUANTIZE";

const contractOf = (
  { contract }: ImportOptions,
  graph: Graph,
  samples: readonly Float32Array[],
  codes: Quantisation | undefined,
): { modality: Manifest["modality"]; input: InputContract } => {
  const { shape } = graph.input;
  const largest = samples.reduce((most, x) => x.reduce((m, v) => Math.max(m, Math.abs(v)), most), 0) || 1;
  if (contract !== undefined) {
    const { modality, clip, ...input } = readContract(contract);
    return { modality, input: { ...input, shape, scale: (clip ?? largest) / 127 } };
  }
  const features = { kind: "vectors", ...(codes && { codes }) };
  const once = { sampleRateHz: 1, channels: ["features"], windowSamples: 1, hopSamples: 1 };
  return { modality: "vectors", input: { ...once, shape, features, scale: largest / 127 } };
};

/** How many of the samples the file in its own integers and our graph of reals answer alike. */
const agreement = (integer: IntegerNetwork, graph: Graph, samples: readonly Float32Array[]): string => {
  const network = new DigitalNetwork(graph);
  const [a, b] = [new Float32Array(sizeOf(graph.output.shape)), new Float32Array(sizeOf(graph.output.shape))];
  const same = samples.filter((x) => {
    integer.infer(x, a);
    network.infer(x, b);
    return argmax(a) === argmax(b);
  });
  return `${same.length} of ${samples.length}`;
};

const read = (path: string): Uint8Array => {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new ExitError(
      `${path}: expected an .onnx or .tflite file, got ${(cause as Error).message}`,
      exitCodes.noInput,
      { cause },
    );
  }
};

const write = (path: string, bytes: Uint8Array): void => {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
  } catch (cause) {
    throw new ExitError(
      `${path}: expected a file that can be written, got ${(cause as Error).message}`,
      exitCodes.cannotCreate,
      { cause },
    );
  }
};

const textOf = (report: ReturnType<typeof bring>): string =>
  [
    `${report.name}: ${report.format}, input ${report.input.join(" × ")}`,
    `${report.layers} layers of ${report.weights} weights on ${report.tiles} tiles, ${report.pairs} pairs a weight, columns scaled, DAC ${report.dacBits} bits, ADC ${report.adcBits} bits`,
    `ranges set by ${report.calibrationSamples} samples`,
    ...(report.sameAnswerAsInt8
      ? [`answers as the file in its own int8: ${report.sameAnswerAsInt8} of them`.replace(/ of them$/, "")]
      : []),
    `written to ${report.model}`,
    "",
  ].join("\n");
