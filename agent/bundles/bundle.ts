import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { parseModel } from "../../models/load.ts";
import { ModelError } from "../../models/network/model-error.ts";

/**
 * A bundle is a model that travels, one file:
 *
 *   ohmwatch-bundle 1⏎
 *   {"name": …, "version": …, "files": [{"name": "model.onnx", "bytes": …, "sha256": …}]}⏎
 *   [{"key": …, "signature": …}]⏎
 *   the bytes of the files, one after the other
 *
 * A signature (Ed25519, RFC 8032) is over the first two lines as they stand, with their line ends; those hold the SHA-256
 * of each file, so that it covers the whole. All that the agent must know of the model (shapes, rates, front end,
 * quantisation, labels, thresholds, mapping, test vectors) lies in the metadata of the ONNX file.
 */
const magic = "ohmwatch-bundle 1\n";
const modelFileName = "model.onnx";
/** Longest of the first lines, and of the whole. */
const limits = { lineBytes: 65_536, bundleBytes: 256 * 2 ** 20 };

/** A bundle that is none, was damaged, or holds no model: exit code 65. One that nobody whom we trust signed: 77. */
export class BundleError extends Error {
  readonly exitCode: 65 | 77;

  constructor(message: string, exitCode: 65 | 77, options?: ErrorOptions) {
    super(`bundle: ${message}`, options);
    this.exitCode = exitCode;
  }
}

/** A bundle that was read: its digests hold; whether its signatures do is for `verifyBundle` to say. */
export interface Bundle {
  readonly name: string;
  readonly version: string;
  /** The ONNX file. */
  readonly model: Uint8Array;
  readonly sha256: string;
  readonly signatures: readonly { readonly key: string; readonly signature: string }[];
  /** What is signed. */
  readonly head: Uint8Array;
}

/** Pack a model, unsigned. @throws BundleError where the bytes are no model of ours */
export const makeBundle = (model: Uint8Array): Uint8Array => {
  const { name, version } = manifestOf(model);
  const files = [{ name: modelFileName, bytes: model.length, sha256: sha256Of(model) }];
  return join(headOf({ name, version, files }), [], model);
};

/** The same bundle with one more signature; a key that signed it before signs anew. @throws BundleError; TypeError for a key of another kind */
export const signBundle = (bytes: Uint8Array, privateKeyPem: string): Uint8Array => {
  const { head, signatures, model } = readBundle(bytes);
  const privateKey = createPrivateKey(privateKeyPem);
  requireEd25519(privateKey);
  const key = keyName(createPublicKey(privateKey));
  const signature = sign(null, head, privateKey).toString("base64");
  return join(head, [...signatures.filter((other) => other.key !== key), { key, signature }], model);
};

/** Read a bundle and check its digests. @throws BundleError */
export const readBundle = (bytes: Uint8Array): Bundle => {
  if (bytes.length > limits.bundleBytes) fail(`expected at most ${limits.bundleBytes} bytes, got ${bytes.length}`);
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, magic.length));
  if (text !== magic) fail(`expected a file that begins with "${magic.trim()}", got ${JSON.stringify(text)}`);
  const contentsEnd = lineEnd(bytes, magic.length);
  const signaturesEnd = lineEnd(bytes, contentsEnd);
  const contents = jsonOf(bytes.subarray(magic.length, contentsEnd)) as Partial<Contents> | null;
  const signatures = jsonOf(bytes.subarray(contentsEnd, signaturesEnd));
  const file = contents?.files?.[0];
  if (typeof contents?.name !== "string" || typeof contents.version !== "string" || contents.files?.length !== 1) {
    fail("expected a name, a version and one file, got others");
  }
  if (
    !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(contents!.name!) ||
    !/^[A-Za-z0-9_.+-]{1,64}$/.test(contents!.version!)
  ) {
    fail(
      `expected a name and a version of letters, digits and -_., got ${JSON.stringify([contents!.name, contents!.version])}`,
    );
  }
  if (!Array.isArray(signatures) || !signatures.every(isSignature)) fail("expected a list of signatures, got another");
  const model = bytes.slice(signaturesEnd);
  if (model.length !== file!.bytes) fail(`expected ${file!.bytes} bytes of ${file!.name}, got ${model.length}`);
  const sha256 = sha256Of(model);
  if (sha256 !== file!.sha256) fail(`expected ${file!.name} with SHA-256 ${file!.sha256}, got ${sha256}`);
  const manifest = manifestOf(model);
  if (manifest.name !== contents!.name || manifest.version !== contents!.version) {
    fail(`expected the model ${contents!.name} ${contents!.version}, got ${manifest.name} ${manifest.version}`);
  }
  const { name, version } = manifest;
  return {
    name,
    version,
    model,
    sha256,
    signatures: signatures as Bundle["signatures"],
    head: bytes.slice(0, contentsEnd),
  };
};

/**
 * Whether one of the keys that we trust has signed a bundle.
 * @param trusted public keys, PEM
 * @returns the name of the key @throws BundleError 77 where none has
 */
export const verifyBundle = ({ head, signatures }: Bundle, trusted: readonly string[]): string => {
  for (const pem of trusted) {
    const publicKey = createPublicKey(pem);
    requireEd25519(publicKey);
    const key = keyName(publicKey);
    const found = signatures.find((other) => other.key === key);
    if (found === undefined) continue;
    if (verify(null, head, publicKey, Buffer.from(found.signature, "base64"))) return key;
    throw new BundleError(`expected the signature of ${key} to hold, got one that does not`, 77);
  }
  const by = signatures.length === 0 ? "none" : `signatures of ${signatures.map(({ key }) => key).join(", ")}`;
  const wanted =
    trusted.length === 0 ? "a key that is trusted (bundles.trustedKeys)" : trusted.map(nameOf).join(" or ");
  throw new BundleError(`expected a signature of ${wanted}, got ${by}`, 77);
};

interface Contents {
  readonly name: string;
  readonly version: string;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

const headOf = (contents: Contents): Uint8Array => new TextEncoder().encode(`${magic}${JSON.stringify(contents)}\n`);

const join = (head: Uint8Array, signatures: Bundle["signatures"], model: Uint8Array): Uint8Array =>
  new Uint8Array(Buffer.concat([head, new TextEncoder().encode(`${JSON.stringify(signatures)}\n`), model]));

/** First 16 digits of the SHA-256 of a public key (SubjectPublicKeyInfo, DER). */
export const keyName = (publicKey: KeyObject): string =>
  sha256Of(new Uint8Array(publicKey.export({ type: "spki", format: "der" }))).slice(0, 16);

const nameOf = (pem: string): string => keyName(createPublicKey(pem));

const requireEd25519 = (key: KeyObject): void => {
  if (key.asymmetricKeyType !== "ed25519") {
    throw new TypeError(`key: expected one of Ed25519, got ${key.asymmetricKeyType}`);
  }
};

const manifestOf = (model: Uint8Array): { readonly name: string; readonly version: string } => {
  try {
    return parseModel(model).manifest;
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    throw new BundleError(`expected a model, got ${cause.message}`, 65, { cause });
  }
};

/** Index after the line that begins at `from`. @throws BundleError */
const lineEnd = (bytes: Uint8Array, from: number): number => {
  const end = bytes.subarray(from, from + limits.lineBytes).indexOf(10);
  if (end < 0) fail(`expected a line of at most ${limits.lineBytes} bytes at byte ${from}, got none`);
  return from + end + 1;
};

const jsonOf = (line: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return fail("expected JSON in its second and third line, got other text");
  }
};

const isSignature = (value: unknown): boolean => {
  const { key, signature } = (value ?? {}) as Record<string, unknown>;
  return typeof key === "string" && /^[0-9a-f]{16}$/.test(key) && typeof signature === "string";
};

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const fail = (message: string): never => {
  throw new BundleError(message, 65);
};
