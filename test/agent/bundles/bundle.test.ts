import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BundleError, makeBundle, readBundle, signBundle, verifyBundle } from "../../../agent/bundles/bundle.ts";
import { selfTest } from "../../../agent/bundles/self-test.ts";
import { keyPair, signed, tones } from "./signed.ts";

const ours = keyPair();
const theirs = keyPair();
const codeOf = (work: () => unknown): number | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof BundleError) return error.exitCode;
    throw error;
  }
  return undefined;
};

describe("A bundle", () => {
  it("gives back the model that was packed, byte for byte, with name, version and digest", () => {
    const model = tones();
    const bundle = readBundle(signed(model, ours.privateKey));
    expect(bundle).toMatchObject({ name: "tones", version: "1", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(Buffer.compare(bundle.model, model)).toBe(0);
  });

  it("is trusted by the key that signed it, also beside other signatures, and by no other", () => {
    const once = signed(tones(), ours.privateKey);
    const twice = readBundle(signBundle(once, theirs.privateKey));
    expect(twice.signatures).toHaveLength(2);
    expect(verifyBundle(twice, [ours.publicKey])).toBe(verifyBundle(twice, [keyPair().publicKey, ours.publicKey]));
    expect(verifyBundle(twice, [theirs.publicKey])).not.toBe(verifyBundle(twice, [ours.publicKey]));
    expect(codeOf(() => verifyBundle(twice, [keyPair().publicKey]))).toBe(77);
    expect(codeOf(() => verifyBundle(readBundle(makeBundle(tones())), [ours.publicKey]))).toBe(77);
    expect(codeOf(() => verifyBundle(twice, []))).toBe(77);
    expect(readBundle(signBundle(once, ours.privateKey)).signatures).toHaveLength(1);
  });

  it("has signatures that OpenSSL verifies over its first two lines", () => {
    const folder = mkdtempSync(join(tmpdir(), "ohmwatch-bundle-"));
    const { head, signatures } = readBundle(signed(tones(), ours.privateKey));
    writeFileSync(join(folder, "head"), head);
    writeFileSync(join(folder, "key"), ours.publicKey);
    writeFileSync(join(folder, "signature"), Buffer.from(signatures[0]!.signature, "base64"));
    const verify = () =>
      spawnSync("openssl", "pkeyutl -verify -pubin -inkey key -rawin -in head -sigfile signature".split(" "), {
        cwd: folder,
      });
    expect(verify().status).toBe(0);
    writeFileSync(join(folder, "head"), head.with(30, head[30]! ^ 1));
    expect(verify().status).not.toBe(0);
    rmSync(folder, { recursive: true });
  });

  it("whose bytes were changed anywhere is never taken as it was", () => {
    const good = signed(tones(), ours.privateKey);
    const signaturesFrom = good.indexOf(10, good.indexOf(10) + 1) + 1;
    const signaturesTo = good.indexOf(10, signaturesFrom) + 1;
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bad = good.with(at, good[at]! ^ change);
        const outcome = codeOf(() => verifyBundle(readBundle(bad), [ours.publicKey]));
        // A signature has spare bits in its last letter of base64: there alone a change may leave it as it was.
        if (at < signaturesFrom || at >= signaturesTo) expect([65, 77]).toContain(outcome);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it("that was cut or is something else is refused with 65 and a sentence", () => {
    const good = signed(tones(), ours.privateKey);
    for (const end of [0, 1, 17, 18, 60, 400, good.length - 1])
      expect(codeOf(() => readBundle(good.slice(0, end)))).toBe(65);
    expect(() => readBundle(new TextEncoder().encode("PK\u0003\u0004 a zip archive"))).toThrow(
      /bundle: expected a file that begins with "ohmwatch-bundle 1", got /,
    );
    expect(codeOf(() => makeBundle(new Uint8Array(100)))).toBe(65);
  });

  it("is not signed by a key of another kind", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    expect(() => signBundle(makeBundle(tones()), pem)).toThrow("key: expected one of Ed25519, got ec");
  });

  it("passes its self-test where each output is what its vector says, to a thousandth", () => {
    expect(selfTest(tones())).toEqual({ vectors: 1 });
    const input = Array.from({ length: 32 }, () => 0);
    expect(selfTest(tones({ testVectors: [{ input, output: [0.5, 0.5] }] }))).toEqual({ vectors: 1 });
    expect(() => selfTest(tones({ testVectors: [{ input, output: [0.502, 0.498] }] }))).toThrow(
      "bundle: tones: expected 0.502 of test vector 0, got 0.5 for output 0",
    );
    expect(() => selfTest(tones({ testVectors: [] }))).toThrow("bundle: expected tones with test vectors, got none");
  });
});
