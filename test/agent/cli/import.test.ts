import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeNpy } from "../../../agent/recordings/npy.ts";
import { parseModel } from "../../../models/load.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { writeOnnx } from "../../../models/onnx/write.ts";
import { SequentialRandom } from "../../../models/random.ts";
import { randomGraphs } from "../../models/network/random-graphs.ts";
import { buildTflite } from "../../models/tflite/build-tflite.ts";
import { keywordCodes, keywordVectors } from "../../models/tflite/mlperf-inputs.ts";
import { dataDir } from "../../support/data.ts";
import { runCli } from "../../support/run-cli.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-import-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A `.npy` file of version 1, as NumPy writes it. */
const npyOf = (values: Float32Array, shape: readonly number[]): Uint8Array => {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")},), }`;
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const head = Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, padded.length & 255, padded.length >> 8]);
  return Buffer.concat([head, Buffer.from(padded), Buffer.from(values.buffer)]);
};

describe("import", () => {
  it("makes a model of a plain ONNX file, which onnxruntime runs, and which eval measures", async () => {
    const graph = randomGraphs["depthwise separable"]!;
    const random = new SequentialRandom(4);
    const x = Float32Array.from({ length: 40 * 84 }, () => random.gaussian());
    writeFileSync(join(folder, "net.onnx"), writeOnnx(graph));
    writeFileSync(join(folder, "features.npy"), npyOf(x, [40, 12, 7]));
    const network = new DigitalNetwork(graph);
    const output = new Float32Array(4);
    const answers = Array.from({ length: 40 }, (_, i) => {
      network.infer(x.subarray(i * 84, (i + 1) * 84), output);
      return output.indexOf(Math.max(...output));
    });
    writeFileSync(join(folder, "y_labels.csv"), answers.map((label) => `sample,4,${label}\n`).join(""));
    const out = join(folder, "made/model.onnx");
    const features = join(folder, "features.npy");
    const args = ["--labels", "a,b,c,d", "--calibration", features, "--out", out];
    const made = await runCli("import", join(folder, "net.onnx"), ...args, "--json");
    expect(made.stderr).toBe("");
    expect(JSON.parse(made.stdout)).toMatchObject({
      format: "ONNX",
      input: [12, 7, 1],
      layers: 4,
      calibrationSamples: 40,
    });
    const { manifest } = parseModel(readFileSync(out));
    const session = await InferenceSession.create(out);
    for (const vector of manifest.testVectors) {
      const real = Float32Array.from(vector.input, (code) => code * manifest.input.scale);
      const given = await session.run({ [session.inputNames[0]!]: new Tensor("float32", real, [1, 12, 7, 1]) });
      const oracle = given[session.outputNames[0]!]!.data as Float32Array;
      vector.output.forEach((y, i) => {
        expect(Math.abs(y - oracle[i]!)).toBeLessThan(1e-4);
      });
    }
    const measured = await runCli("eval", "--model", out, "--data", folder, "--seeds", "1", "--age", "0s", "--json");
    const { digital } = JSON.parse(measured.stdout) as { digital: { accuracy: number } };
    // The answers are the network's own on unquantised features: one code of 1/42 may change one of them.
    expect(digital.accuracy).toBeGreaterThanOrEqual(0.95);
  }, 60_000);

  it("says in a sentence which operator it does not have and where, with exit code 65", async () => {
    const value = { shape: [1, 4], type: "float32" } as const;
    const bytes = buildTflite([value, value], [{ code: 111, inputs: [0], outputs: [1] }], [0], [1]);
    writeFileSync(join(folder, "elu.tflite"), bytes);
    const args = ["--labels", "a,b,c,d", "--calibration", join(folder, "none.npy"), "--out", join(folder, "x.onnx")];
    const { code, stderr } = await runCli("import", join(folder, "elu.tflite"), ...args);
    expect(code).toBe(65);
    expect(stderr).toMatch(/elu\.tflite: operator 0 \(ELU\): expected one of ADD, .*, got ELU\n$/);
  });

  it("says what is missing: the file, and features that fit", async () => {
    const args = ["--labels", "a,b", "--calibration", join(folder, "none.npy"), "--out", join(folder, "x.onnx")];
    const missing = await runCli("import", join(folder, "nowhere.onnx"), ...args);
    expect([missing.code, missing.stderr]).toEqual([66, expect.stringContaining("nowhere.onnx: expected an .onnx")]);
    writeFileSync(join(folder, "net.onnx"), writeOnnx(randomGraphs["autoencoder"]!));
    writeFileSync(join(folder, "odd.npy"), npyOf(new Float32Array(7), [7]));
    const odd = await runCli("import", join(folder, "net.onnx"), ...args.with(3, join(folder, "odd.npy")));
    expect([odd.code, odd.stderr]).toEqual([65, expect.stringContaining("expected samples of 24 numbers, got 7")]);
  });

  it("reads int8 and double arrays of NumPy, and refuses other files", () => {
    const bytes = npyOf(Float32Array.of(1.5, -2, 3), [3]);
    expect(decodeNpy(bytes, "x")).toEqual({ shape: [3], type: "other", values: Float32Array.of(1.5, -2, 3) });
    expect(() => decodeNpy(bytes.subarray(0, bytes.length - 1), "x")).toThrow("x: expected 12 bytes for [3], got 11");
    expect(() => decodeNpy(new Uint8Array(4), "x")).toThrow(
      "x: expected a .npy file, got one that begins with 0 0 0 0",
    );
  });
});

describe.skipIf(dataDir === undefined)(
  "the keyword model of MLPerf Tiny, imported (skipped without ../shared/data)",
  () => {
    it("has 91.0 % digital, and 90 % on chips of PCM at t₀, not retrained", async () => {
      const tiny = join(dataDir!, "mlperf-tiny");
      const out = join(folder, "kws.onnx");
      const labels = "down,go,left,no,off,on,right,stop,up,yes,silence,unknown";
      const calibration = ["--calibration", join(tiny, "kws01-first200-mfcc-int8.bin"), "--samples", "50"];
      const args = [join(tiny, "kws_ref_model.tflite"), "--labels", labels, ...calibration, "--out", out];
      const made = await runCli("import", ...args);
      expect(made.stderr).toBe("");
      expect(made.stdout).toContain("answers as the file in its own int8: 50 of 50");
      const options = ["--age", "0s", "--compensation", "global", "--seeds", "6", "--json"];
      const { stdout } = await runCli("eval", "--model", out, "--data", dataDir!, ...options);
      const report = JSON.parse(stdout) as {
        samples: number;
        digital: { accuracy: number };
        analog: { mean: number }[];
      };
      expect(report.samples).toBe(200);
      expect(report.digital.accuracy).toBeCloseTo(0.91, 9);
      expect(report.analog[0]!.mean).toBeGreaterThanOrEqual(0.9);

      const session = await InferenceSession.create(out);
      const { graph } = parseModel(readFileSync(out));
      const network = new DigitalNetwork(graph);
      const ours = new Float32Array(12);
      for (const codes of keywordVectors(tiny).codes.slice(0, 10)) {
        const real = Float32Array.from(codes, (code) => keywordCodes.scale * (code - keywordCodes.zeroPoint));
        network.infer(real, ours);
        const given = await session.run({ input_1: new Tensor("float32", real, [1, 49, 10, 1]) });
        const oracle = given[session.outputNames[0]!]!.data as Float32Array;
        for (let i = 0; i < 12; i++) expect(Math.abs(ours[i]! - oracle[i]!)).toBeLessThan(1e-4);
      }
    }, 120_000);
  },
);
