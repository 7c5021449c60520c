import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { ModelError } from "../../../models/network/model-error.ts";
import type { Network } from "../../../models/network/network.ts";
import { readOnnx } from "../../../models/onnx/read.ts";
import { writeOnnx } from "../../../models/onnx/write.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { sizeOf } from "../../../models/tensor.ts";
import { fixedFactor, timesFactor } from "../../../models/tflite/fixed-point.ts";
import { IntegerNetwork } from "../../../models/tflite/integer-network.ts";
import { graphOf, readTflite } from "../../../models/tflite/read.ts";
import { decodeTflite } from "../../../models/tflite/schema.ts";
import { dataDir } from "../../support/data.ts";
import { buildTflite, smallFiles } from "./build-tflite.ts";
import { keywordVectors, type MlperfModel, mlperfInputs } from "./mlperf-inputs.ts";

/** What TFLite itself answers, by `tools/tflite-outputs.ts`. */
const answers = JSON.parse(readFileSync(new URL("./tflite-outputs.json", import.meta.url), "utf8")) as Record<
  string,
  { type: string; base64: string }
>;
const answersOf = (name: string): Float32Array | Int8Array => {
  const { type, base64 } = answers[name]!;
  const bytes = new Uint8Array(Buffer.from(base64, "base64"));
  return type === "int8" ? new Int8Array(bytes.buffer) : new Float32Array(bytes.buffer);
};
const folder = join(dataDir ?? "", "mlperf-tiny");
const fileOf = (name: string): Uint8Array => readFileSync(join(folder, `${name}.tflite`));

/** All outputs of a network one after the other. */
const outputsOf = (network: Network, inputs: readonly ArrayLike<number>[]): Float32Array => {
  const size = sizeOf(network.outputShape);
  const all = new Float32Array(inputs.length * size);
  inputs.forEach((x, i) => {
    network.infer(Float32Array.from(x), all.subarray(i * size, (i + 1) * size));
  });
  return all;
};
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
};

describe("timesFactor", () => {
  it("is the product rounded to the nearest, halves upwards, over all of int32", () => {
    const random = new SequentialRandom(1);
    for (let i = 0; i < 20_000; i++) {
      const x = Math.trunc((random.uniform() * 2 - 1) * 2 ** (1 + random.integer(31)));
      const fixed = fixedFactor(random.uniform() * 2 ** (random.integer(30) - 25));
      const { multiplier, shift } = fixed;
      const exact = (BigInt(x) * BigInt(multiplier) + (1n << BigInt(30 - shift))) >> BigInt(31 - shift);
      expect(timesFactor(x, fixed)).toBe(Number(exact));
    }
  });

  it("has factors right to 31 bits", () => {
    for (const factor of [1, 0.5, 0.75, 1 / 3, 2 ** -20, 1000.25, 1 - 2 ** -40]) {
      const { multiplier, shift } = fixedFactor(factor);
      expect(multiplier).toBeGreaterThanOrEqual(2 ** 30);
      expect(multiplier).toBeLessThan(2 ** 31);
      expect(Math.abs((multiplier * 2 ** (shift - 31)) / factor - 1)).toBeLessThanOrEqual(2 ** -31);
    }
  });
});

describe("small TFLite files give what TFLite gives", () => {
  for (const [name, { bytes, inputs }] of Object.entries(smallFiles())) {
    it(name, () => {
      const file = decodeTflite(bytes);
      const wanted = answersOf(name);
      const isInteger = name.startsWith("int8");
      const ours = outputsOf(isInteger ? new IntegerNetwork(file) : new DigitalNetwork(graphOf(file)), inputs);
      // Codes of 0.02: the same code everywhere. Floats: sums in another order.
      expect(farthest(ours, wanted)).toBeLessThan(isInteger ? 1e-6 : 1e-5);
      // The graph of reals that stands for the codes: the roundings of six layers apart.
      expect(farthest(outputsOf(new DigitalNetwork(graphOf(file)), inputs), wanted)).toBeLessThan(
        isInteger ? 0.1 : 1e-5,
      );
    });
  }

  it("and go through ONNX and back without a change", () => {
    for (const { bytes, inputs } of Object.values(smallFiles())) {
      const graph = readTflite(bytes);
      const back = readOnnx(writeOnnx(graph));
      expect(farthest(outputsOf(new DigitalNetwork(back), inputs), outputsOf(new DigitalNetwork(graph), inputs))).toBe(
        0,
      );
    }
  });
});

describe.skipIf(dataDir === undefined)("the models of MLPerf Tiny (skipped without ../shared/data)", () => {
  it.each(["kws_ref_model", "ad01_int8", "pretrainedResnet_quant"] as const)(
    "%s in integers gives TFLite's codes, every one",
    (name: MlperfModel) => {
      const network = new IntegerNetwork(decodeTflite(fileOf(name)));
      const size = sizeOf(network.outputShape);
      const inputs = mlperfInputs(name, folder);
      const codes = new Int8Array(inputs.length * size);
      inputs.forEach((x, i) => {
        network.run(x as Int8Array, codes.subarray(i * size, (i + 1) * size));
      });
      expect(codes).toEqual(answersOf(name));
    },
    60_000,
  );

  // Relative to the largest output. The keyword model has int8 weights between float activations: TFLite quantises its
  // activations as it runs, we do not.
  it.each([
    ["ad01_fp32", 1e-5],
    ["pretrainedResnet", 1e-5],
    ["kws_ref_model_float32", 0.03],
  ] as const)("%s in floats gives what TFLite gives, within %d of the largest", (name, tolerance) => {
    const ours = outputsOf(new DigitalNetwork(readTflite(fileOf(name))), mlperfInputs(name, folder));
    const largest = farthest(answersOf(name), new Float32Array(ours.length));
    expect(farthest(ours, answersOf(name)) / largest).toBeLessThan(tolerance);
  });

  it("the keyword model's codes have 91.5 % of the 200 labelled vectors right", () => {
    const { labels } = keywordVectors(folder);
    const codes = answersOf("kws_ref_model");
    const right = labels.filter((label, i) => {
      const answer = Array.from(codes.subarray(12 * i, 12 * i + 12));
      return answer.indexOf(Math.max(...answer)) === label;
    });
    expect(right.length).toBe(183);
  });
});

describe("readTflite refuses", () => {
  const relu = { shape: [1, 4], type: "float32" } as const;

  it("an operator that is not ours, by its name and place", () => {
    const bytes = buildTflite(
      [relu, relu, relu],
      [
        { code: 19, inputs: [0], outputs: [1] },
        { code: 117, inputs: [1], outputs: [2] },
      ],
      [0],
      [2],
    );
    expect(() => readTflite(bytes)).toThrow(
      /^operator 1 \(HARD_SWISH\): expected one of ADD, .*, TANH, got HARD_SWISH$/,
    );
  });

  it("a batch of several", () => {
    const two = { ...relu, shape: [2, 4] };
    const bytes = buildTflite([two, two], [{ code: 19, inputs: [0], outputs: [1] }], [0], [1]);
    expect(() => readTflite(bytes)).toThrow("input t0: expected a batch of 1 and 1 to 3 axes behind it, got [2, 4]");
  });

  it("files cut anywhere and files with bytes changed, by a ModelError and nothing else", () => {
    const { bytes } = Object.values(smallFiles())[0]!;
    const random = new SequentialRandom(3);
    let refused = 0;
    const refuse = (broken: Uint8Array): void => {
      try {
        readTflite(broken);
      } catch (error) {
        expect(error).toBeInstanceOf(ModelError);
        refused++;
      }
    };
    for (let length = 0; length < bytes.length; length += 7) refuse(bytes.subarray(0, length));
    for (let i = 0; i < 1500; i++) {
      const broken = bytes.slice();
      for (let k = 0; k < 3; k++) broken[random.integer(bytes.length)] = random.integer(256);
      refuse(broken);
    }
    expect(refused).toBeGreaterThan(500);
  });
});
