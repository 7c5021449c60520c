import { generateKeyPairSync } from "node:crypto";
import { makeBundle, signBundle } from "../../../agent/bundles/bundle.ts";
import type { Manifest } from "../../../models/manifest.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { onnxOf, toneModel } from "../../support/tiny-models.ts";

/** A pair of keys, PEM. */
export const keyPair = (): { readonly privateKey: string; readonly publicKey: string } => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
  };
};

/** The tone model with test vectors that hold, and, where it is asked for, with labels the other way round. */
export const tones = (overrides: Partial<Manifest> = {}, contrary = false): Uint8Array => {
  const { graph, manifest } = toneModel(overrides);
  for (const node of graph.nodes) {
    if (contrary && node.kind === "dense") node.weights.set([...node.weights.slice(32), ...node.weights.slice(0, 32)]);
  }
  const codes = Array.from({ length: 32 }, (_, i) => ((i * 37) % 255) - 127);
  const output = new Float32Array(2);
  new DigitalNetwork(graph).infer(
    Float32Array.from(codes, (code) => code * manifest.input.scale),
    output,
  );
  const testVectors = overrides.testVectors ?? [{ input: codes, output: [...output] }];
  return onnxOf({ graph, manifest: { ...manifest, testVectors } });
};

/** A bundle of a model, signed. */
export const signed = (model: Uint8Array, privateKey: string): Uint8Array => signBundle(makeBundle(model), privateKey);
