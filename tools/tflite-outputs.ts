/**
 * What TFLite itself answers: runs the MLPerf Tiny models in its WebAssembly build and writes the outputs that
 * `test/models/tflite` compares with. The build is inside the npm package `@tensorflow/tfjs-tflite` (0.0.1-alpha.10,
 * Apache-2.0), made for browsers; unpack it anywhere:
 *
 *   npm pack @tensorflow/tfjs-tflite@0.0.1-alpha.10 && tar xzf tensorflow-tfjs-tflite-*.tgz
 *   node tools/tflite-outputs.ts package ../shared/data/mlperf-tiny test/models/tflite/tflite-outputs.json
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { smallFiles } from "../test/models/tflite/build-tflite.ts";
import { mlperfInputs, mlperfModels } from "../test/models/tflite/mlperf-inputs.ts";

/** The few names of the build's interface that are needed. */
interface TensorInfo {
  readonly dataType: string;
  data(): Int8Array | Float32Array;
}
interface Runner {
  GetInputs(): { get(i: number): TensorInfo };
  GetOutputs(): { get(i: number): TensorInfo };
  Infer(): boolean;
}
interface Build {
  _malloc(bytes: number): number;
  readonly HEAPU8: Uint8Array;
  readonly TFLiteWebModelRunner: {
    CreateFromBufferAndOptions(
      at: number,
      bytes: number,
      options: { numThreads: number; enableProfiling: boolean; maxProfilingBufferEntries: number },
    ): { ok(): boolean; errorMessage(): string; value(): Runner };
  };
}

const [folder = "", data = "", out = ""] = process.argv.slice(2);
if (!out) throw new Error("arguments: expected PACKAGE DATA OUT, got fewer");
const base = join(resolve(folder), "wasm", "tflite_web_api_cc_simd");
const require = createRequire(import.meta.url);
// The package calls itself a module, its build is CommonJS.
const script = `${base}.cjs`;
writeFileSync(script, readFileSync(`${base}.js`));
const build = (await require(script)({ wasmBinary: readFileSync(`${base}.wasm`) })) as Build;

const answersOf = (name: string, bytes: Uint8Array, inputs: readonly (Int8Array | Float32Array)[]) => {
  const at = build._malloc(bytes.length);
  build.HEAPU8.set(bytes, at);
  const options = { numThreads: 1, enableProfiling: false, maxProfilingBufferEntries: 0 };
  const made = build.TFLiteWebModelRunner.CreateFromBufferAndOptions(at, bytes.length, options);
  if (!made.ok()) throw new Error(`${name}: ${made.errorMessage()}`);
  const runner = made.value();
  const [input, output] = [runner.GetInputs().get(0), runner.GetOutputs().get(0)];
  const answers = inputs.map((x) => {
    input.data().set(x);
    runner.Infer();
    return output.data().slice();
  });
  const all = Buffer.concat(answers.map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength)));
  return [name, { type: output.dataType, base64: all.toString("base64") }] as const;
};

const outputs = [
  ...mlperfModels.map((name) => answersOf(name, readFileSync(join(data, `${name}.tflite`)), mlperfInputs(name, data))),
  ...Object.entries(smallFiles()).map(([name, { bytes, inputs }]) => answersOf(name, bytes, inputs)),
];
writeFileSync(out, `${JSON.stringify(Object.fromEntries(outputs), null, 1)}\n`);
