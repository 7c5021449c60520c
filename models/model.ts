import type { Manifest } from "./manifest.ts";
import type { Network } from "./network/network.ts";

/** A network with what the agent must know to feed it and to read its answers. */
export interface Model {
  readonly manifest: Manifest;
  /** Of the ONNX file. */
  readonly sha256: string;
  readonly network: Network;
}
