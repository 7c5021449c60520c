import { analogWasm } from "./analog.wasm.gen.ts";
import type { Arena } from "./arena.ts";
import type { MvmKernel } from "./kernel.ts";

interface Exports {
  quantise(
    x: number,
    stride: number,
    inputs: number,
    batch: number,
    dac: number,
    codes: number,
    squares: number,
    squareShift: number,
  ): number;
  multiply(
    weights: number,
    variances: number,
    codes: number,
    squares: number,
    pairs: number,
    outputs: number,
    scales: number,
    adcMax: number,
    y: number,
    stride: number,
    batch: number,
    accumulate: number,
    keys: number,
    scratch: number,
  ): number;
  depthwise(
    weights: number,
    variances: number,
    codes: number,
    squares: number,
    channels: number,
    taps: number,
    windows: number,
    scales: number,
    adcMax: number,
    y: number,
    batch: number,
    keys: number,
    scratch: number,
  ): number;
  fillReadNoise(out: number, count: number, key0: number, key1: number): void;
  prepare(): void;
}

/** The SIMD kernel, and the Gaussian numbers of its read noise for whoever tests them. */
export interface SimdKernel extends MvmKernel {
  /** Fill `out` (of the arena, its length a multiple of 16) with N(0, `readNoiseSigma`²) under two keys of 32 bits. */
  fillReadNoise(out: Int16Array, key0: number, key1: number): void;
}

const compiled = new WebAssembly.Module(Buffer.from(analogWasm, "base64"));
const instances = new WeakMap<Arena, Exports>();

/** Sums of two rows, and 256 Gaussian numbers of 16 bits. */
const scratchBytes = 256 + 512;

/** One instance an arena, however many arrays use it, so that V8 optimises the code once. */
const instanceOf = (arena: Arena): Exports => {
  const known = instances.get(arena);
  if (known) return known;
  const made = new WebAssembly.Instance(compiled, { env: { memory: arena.memory } }).exports as unknown as Exports;
  made.prepare();
  instances.set(arena, made);
  return made;
};

/**
 * The kernel in WebAssembly SIMD over the memory of an arena, from which all its arrays must be cut. It takes
 * some of the arena for itself (`scratchBytes`); an arena released to before that must not be used with it again.
 */
export const simdKernel = (arena: Arena): SimdKernel => {
  const wasm = instanceOf(arena);
  const scratch = arena.int8(scratchBytes).byteOffset;
  return {
    name: "simd",
    quantise: (x, from, stride, inputs, batch, dac, { codes, squares, squareShift }) =>
      wasm.quantise(
        x.byteOffset + 4 * from,
        stride,
        inputs,
        batch,
        dac.byteOffset,
        codes.byteOffset,
        squares ? squares.byteOffset : 0,
        squareShift,
      ),
    multiply: (tile, { codes, squares }, y, from, stride, batch, accumulate, keys) =>
      wasm.multiply(
        tile.weights.byteOffset,
        tile.variances ? tile.variances.byteOffset : 0,
        codes.byteOffset,
        squares ? squares.byteOffset : 0,
        (tile.inputs + 1) >> 1,
        tile.outputs,
        tile.scales.byteOffset,
        tile.adcMax,
        y.byteOffset + 4 * from,
        stride,
        batch,
        accumulate,
        keys.byteOffset,
        scratch,
      ),
    depthwise: (tile, { codes, squares }, windows, y, batch, keys) =>
      wasm.depthwise(
        tile.weights.byteOffset,
        tile.variances ? tile.variances.byteOffset : 0,
        codes.byteOffset,
        squares ? squares.byteOffset : 0,
        tile.outputs,
        tile.inputs,
        windows.byteOffset,
        tile.scales.byteOffset,
        tile.adcMax,
        y.byteOffset,
        batch,
        keys.byteOffset,
        scratch,
      ),
    fillReadNoise: (out, key0, key1) => wasm.fillReadNoise(out.byteOffset, out.length, key0, key1),
  };
};
