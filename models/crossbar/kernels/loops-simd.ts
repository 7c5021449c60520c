import type { Arena } from "./arena.ts";
import { loopsWasm } from "./loops.wasm.gen.ts";

/**
 * The loops of training beside the products, over Float32 at byte addresses of an arena. Matrices are row-major
 * `[rows × n]`; lengths count floats. Calls do not check their arguments. The equations: `assembly/loops.ts`.
 */
export interface LoopKernel {
  im2col: Windows;
  col2im: Windows;
  clear(y: number, n: number): void;
  copy(x: number, y: number, n: number): void;
  add(a: number, b: number, y: number, n: number): void;
  addScaled(x: number, y: number, n: number, factor: number): void;
  relu(x: number, y: number, n: number): void;
  reluBackward(y: number, dy: number, dx: number, n: number): void;
  scaleShift(x: number, y: number, scale: number, shift: number, rows: number, n: number): void;
  addRow(y: number, shift: number, rows: number, n: number): void;
  sumRows(x: number, sum: number, rows: number, n: number): void;
  sumSquaresRows(x: number, mean: number, sum: number, rows: number, n: number): void;
  sumProductRows(x: number, mean: number, dy: number, sum: number, rows: number, n: number): void;
  mixRows(dy: number, x: number, dx: number, p: number, q: number, s: number, rows: number, n: number): void;
  multiplyAddRows(x: number, stride: number, w: number, y: number, rows: number, n: number): void;
  tapBackward(x: number, dx: number, stride: number, w: number, dw: number, dy: number, rows: number, n: number): void;
  roundToLevels(x: number, y: number, n: number, step: number, levels: number): void;
  maskBeyond(x: number, dx: number, n: number, limit: number): void;
  maxAbsolute(x: number, n: number): number;
  sumSquares(x: number, n: number): number;
  /** Counter-based: the same keys give the same numbers. Rounds `count` up to a multiple of 16. */
  fillGaussian(out: number, count: number, key0: number, key1: number): void;
  adam(
    w: number,
    dw: number,
    m: number,
    v: number,
    n: number,
    scale: number,
    rate: number,
    decay: number,
    beta1: number,
    beta2: number,
    correct: number,
    epsilon: number,
  ): void;
}

type Windows = (
  from: number,
  to: number,
  height: number,
  width: number,
  channels: number,
  kernelHeight: number,
  kernelWidth: number,
  strideHeight: number,
  strideWidth: number,
  top: number,
  left: number,
  outputHeight: number,
  outputWidth: number,
) => void;

const compiled = new WebAssembly.Module(Buffer.from(loopsWasm, "base64"));

/** The loops of `assembly/loops.ts` over the memory of an arena. Takes nothing of it. */
export const loopsSimd = (arena: Arena): LoopKernel =>
  new WebAssembly.Instance(compiled, { env: { memory: arena.memory } }).exports as unknown as LoopKernel;
