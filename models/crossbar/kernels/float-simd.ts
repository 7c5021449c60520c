import type { Arena } from "./arena.ts";
import { floatWasm } from "./float.wasm.gen.ts";
import type { FloatKernel } from "./float-kernel.ts";

/**
 * The products by byte addresses in the arena's memory and with distances between rows, in floats: what training
 * uses, whose operands are pieces of larger arrays. As `FloatKernel` otherwise.
 */
export interface FloatPointerKernel {
  gemmNT: PointerGemm;
  gemmNN: PointerGemm;
  gemmTN: PointerGemm;
}

type PointerGemm = (
  a: number,
  b: number,
  c: number,
  m: number,
  n: number,
  k: number,
  lda: number,
  ldb: number,
  ldc: number,
  accumulate: 0 | 1,
) => void;

interface Exports extends FloatPointerKernel {
  scratchBytes(): number;
  setScratch(at: number): void;
}

const compiled = new WebAssembly.Module(Buffer.from(floatWasm, "base64"));

/**
 * The products of `assembly/float.ts` over the memory of an arena, by address. Takes 148 KB of the arena for its packing;
 * an arena released to before that must not be used with it again. Calls do not check their arguments.
 */
export const floatPointers = (arena: Arena): FloatPointerKernel => {
  const exports = new WebAssembly.Instance(compiled, { env: { memory: arena.memory } }).exports as unknown as Exports;
  exports.setScratch(arena.int8(exports.scratchBytes()).byteOffset);
  return exports;
};

/**
 * The SIMD kernel: sums in single precision, in one order on every machine, so that results are the same bits
 * everywhere. Matrices must be cut from `arena`.
 */
export const floatSimd = (arena: Arena): FloatKernel => {
  const { gemmNT, gemmNN, gemmTN } = floatPointers(arena);
  return {
    name: "simd",
    gemmNT: (a, b, c, m, n, k, accumulate) =>
      gemmNT(a.byteOffset, b.byteOffset, c.byteOffset, m, n, k, k, k, n, accumulate),
    gemmNN: (a, b, c, m, n, k, accumulate) =>
      gemmNN(a.byteOffset, b.byteOffset, c.byteOffset, m, n, k, k, n, n, accumulate),
    gemmTN: (a, b, c, m, n, k, accumulate) =>
      gemmTN(a.byteOffset, b.byteOffset, c.byteOffset, m, n, k, m, n, n, accumulate),
  };
};
