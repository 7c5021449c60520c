import { RecordingError } from "./recording.ts";

/** An array of NumPy: row-major. */
export interface NpyArray {
  readonly shape: readonly number[];
  /** `int8` where the file holds codes of that type. */
  readonly type: "int8" | "other";
  readonly values: Float32Array;
}

const readers: Readonly<Record<string, { bytes: number; read: (view: DataView, at: number) => number }>> = {
  f4: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  f8: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  i4: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
};

/**
 * Reads a `.npy` file of numbers (NumPy enhancement proposal 1), little-endian, row-major.
 * @throws RecordingError (65)
 */
export const decodeNpy = (bytes: Uint8Array, name: string): NpyArray => {
  const bad = (expected: string, got: string) => new RecordingError(65, `${name}: expected ${expected}, got ${got}`);
  const magic = String.fromCharCode(...bytes.subarray(1, 6));
  if (bytes[0] !== 0x93 || magic !== "NUMPY")
    throw bad("a .npy file", `one that begins with ${[...bytes.subarray(0, 6)].join(" ")}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isShort = bytes[6] === 1;
  const length = bytes.length < 12 ? 0 : isShort ? view.getUint16(8, true) : view.getUint32(8, true);
  const from = isShort ? 10 : 12;
  const header = new TextDecoder("latin1").decode(bytes.subarray(from, from + length));
  const type = /'descr': *'[<|=]([fiu][1248])'/.exec(header)?.[1] ?? "";
  const reader = readers[type];
  if (!reader) throw bad(`numbers of type ${Object.keys(readers).join(", ")}`, header.slice(0, 60) || "no header");
  if (!/'fortran_order': *False/.test(header)) throw bad("row-major order", "Fortran's");
  const shape = (/'shape': *\(([\d, ]*)\)/.exec(header)?.[1] ?? "")
    .split(",")
    .flatMap((n) => (n.trim() ? [Number(n)] : []));
  const count = shape.reduce((product, n) => product * n, 1);
  if (bytes.length - from - length !== count * reader.bytes) {
    throw bad(`${count * reader.bytes} bytes for [${shape.join(", ")}]`, String(bytes.length - from - length));
  }
  const values = Float32Array.from({ length: count }, (_, i) => reader.read(view, from + length + i * reader.bytes));
  return { shape, type: type === "i1" ? "int8" : "other", values };
};
