import { InferenceSession, Tensor } from "onnxruntime-node";
import { CrossbarArray } from "../models/crossbar/array.ts";
import type { ArraySpec } from "../models/crossbar/array-spec.ts";
import { ideal } from "../models/crossbar/devices/ideal.ts";
import { pcmNandakumar2019 } from "../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { Arena } from "../models/crossbar/kernels/arena.ts";
import { floatSimd } from "../models/crossbar/kernels/float-simd.ts";
import { writeOnnx } from "../models/onnx/write.ts";
import { SequentialRandom } from "../models/random.ts";
import { compare, printTable, type Way } from "./timing.ts";

/**
 * Print what a product on the crossbar costs (DAC 8, ADC 8, tiles of 256 × 256), beside the Float32 product by the
 * SIMD kernel and by onnxruntime: a row of x, as a multiple of the quantised product by ideal devices. Then how the
 * cost of one multiplication depends on the width of the layer.
 */
export const run = async (): Promise<void> => {
  for (const side of [256, 512]) {
    for (const batch of [1, 64]) {
      const times = await compare(await waysFor(side, batch), { rounds: 75, millisecondsEach: 4 });
      printTable(`${side} × ${side}, batch ${batch}`, "a row", times);
    }
  }
  const sides = [64, 128, 256, 512, 1024];
  const widths = sides.map((side): Way => {
    const { noisy, x, y } = arraysFor(side, 1);
    let inference = 0;
    // A piece of work is 1000 multiplications, so that microseconds are nanoseconds of one.
    return { name: `${side} wide`, call: () => noisy.mvm(x, y, 1, inference++), rows: (side * side) / 1000 };
  });
  const times = await compare(widths, { rounds: 75, millisecondsEach: 4 });
  printTable("Read noise on, batch 1, by width", "for 1000 products (ns a product)", times);
};

const arraysFor = (side: number, batch: number) => {
  const arena = new Arena(24 * side * side + 64 * side * batch + 1e6);
  const random = new SequentialRandom(1);
  const fill = (array: Float32Array) => {
    for (let i = 0; i < array.length; i++) array[i] = 2 * random.uniform() - 1;
    return array;
  };
  const weights = fill(arena.float32(side * side));
  const x = fill(arena.float32(batch * side));
  const y = arena.float32(batch * side);
  const arrayOf = (device: ArraySpec["device"], arrayId: number, wires?: ArraySpec["wires"]) => {
    const sizes = { dacBits: 8, adcBits: 8, tileInputs: 256, tileOutputs: 256, inputMax: 1, maxBatch: batch };
    return new CrossbarArray(
      weights,
      side,
      side,
      { ...sizes, ...(wires && { wires }), device, seed: 1, arrayId, kernel: "simd" },
      arena,
    );
  };
  return {
    ...{ arena, weights, x, y },
    quantised: arrayOf(ideal, 0),
    programmed: arrayOf({ ...pcmNandakumar2019, hasReadNoise: false }, 1),
    noisy: arrayOf(pcmNandakumar2019, 2),
    arrayOf,
  };
};

const waysFor = async (side: number, batch: number): Promise<Way[]> => {
  const { arena, weights, x, y, quantised, programmed, noisy, arrayOf } = arraysFor(side, batch);
  const wired = arrayOf(pcmNandakumar2019, 3, { layout: "separate", wordLineOhm: 1, bitLineOhm: 1 });
  const float = floatSimd(arena);
  const session = await sessionOf(weights, side);
  const feeds = { [session.inputNames[0]!]: new Tensor("float32", x.slice(), [batch, side]) };
  let inference = 0;
  const ways: Way[] = [
    { name: "crossbar, ideal devices", call: () => quantised.mvm(x, y, batch, 0) },
    { name: "  + programming noise", call: () => programmed.mvm(x, y, batch, 0) },
    { name: "  + read noise, exact", call: () => noisy.mvm(x, y, batch, inference++) },
    { name: "  + wires of 1 Ω a segment, exact", call: () => wired.mvm(x, y, batch, inference++) },
    { name: "Float32, our kernel", call: () => float.gemmNT(x, weights, y, batch, side, side, 0) },
    { name: "Float32, onnxruntime-node", call: () => session.run(feeds) },
  ];
  return ways.map((way) => ({ ...way, rows: batch }));
};

/** The product alone, on one thread. */
const sessionOf = (weights: Float32Array, side: number): Promise<InferenceSession> => {
  const output = { name: "y", shape: [side] };
  const model = writeOnnx({
    name: "product",
    input: { name: "x", shape: [side] },
    output,
    nodes: [
      { kind: "dense", name: "dense", inputs: ["x"], output, weights: weights.slice(), bias: new Float32Array(side) },
    ],
    metadata: {},
  });
  return InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
};
