import type { Arena } from "./arena.ts";
import { layersWasm } from "./layers.wasm.gen.ts";

/**
 * What a network does beside its products, over Float32 at byte addresses of an arena; lengths count floats. Calls do
 * not check their arguments. The equations: `assembly/layers.ts`.
 */
export interface LayerKernel {
  addBias(x: number, y: number, stride: number, bias: number, rows: number, n: number, low: number, high: number): void;
  gather(x: number, out: number, positions: number, windows: number, stride: number, n: number): void;
  depthwise(x: number, w: number, y: number, positions: number, rows: number, taps: number, n: number): void;
  mean(x: number, y: number, rows: number, n: number): void;
}

const compiled = new WebAssembly.Module(Buffer.from(layersWasm, "base64"));

/** The layers over the memory of an arena. Takes nothing of it. */
export const layersSimd = (arena: Arena): LayerKernel =>
  new WebAssembly.Instance(compiled, { env: { memory: arena.memory } }).exports as unknown as LayerKernel;
