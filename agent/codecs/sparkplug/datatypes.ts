/** Numbers of the data types of Sparkplug B 3.0, 6.4.16; those that we read and write. */
export const datatypes = {
  Int8: 1,
  Int16: 2,
  Int32: 3,
  Int64: 4,
  UInt8: 5,
  UInt16: 6,
  UInt32: 7,
  UInt64: 8,
  Float: 9,
  Double: 10,
  Boolean: 11,
  String: 12,
  DateTime: 13,
  Text: 14,
  UUID: 15,
  Bytes: 17,
  Int8Array: 22,
  Int16Array: 23,
  Int32Array: 24,
  Int64Array: 25,
  UInt8Array: 26,
  UInt16Array: 27,
  UInt32Array: 28,
  UInt64Array: 29,
  FloatArray: 30,
  DoubleArray: 31,
} as const;

export type Datatype = keyof typeof datatypes;

const names: ReadonlyMap<number, Datatype> = new Map(
  Object.entries(datatypes).map(([name, number]) => [number, name as Datatype]),
);

/** The name of a data type, or undefined for one that we do not read. */
export const datatypeOf = (number: number | undefined): Datatype | undefined => names.get(number ?? 0);

/** Bits of the signed integers: they travel as two's complement in an unsigned field. */
export const signedBits: Partial<Record<Datatype, number>> = { Int8: 8, Int16: 16, Int32: 32, Int64: 64 };

interface Packing {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
  readonly write: (view: DataView, at: number, value: number) => void;
}

/** How numbers lie in an array, little-endian; Sparkplug B 3.0, 6.4.17. */
export const packings: Partial<Record<Datatype, Packing>> = {
  Int8Array: { bytes: 1, read: (v, at) => v.getInt8(at), write: (v, at, x) => v.setInt8(at, x) },
  Int16Array: { bytes: 2, read: (v, at) => v.getInt16(at, true), write: (v, at, x) => v.setInt16(at, x, true) },
  Int32Array: { bytes: 4, read: (v, at) => v.getInt32(at, true), write: (v, at, x) => v.setInt32(at, x, true) },
  Int64Array: {
    bytes: 8,
    read: (v, at) => Number(v.getBigInt64(at, true)),
    write: (v, at, x) => v.setBigInt64(at, BigInt(Math.round(x)), true),
  },
  UInt8Array: { bytes: 1, read: (v, at) => v.getUint8(at), write: (v, at, x) => v.setUint8(at, x) },
  UInt16Array: { bytes: 2, read: (v, at) => v.getUint16(at, true), write: (v, at, x) => v.setUint16(at, x, true) },
  UInt32Array: { bytes: 4, read: (v, at) => v.getUint32(at, true), write: (v, at, x) => v.setUint32(at, x, true) },
  UInt64Array: {
    bytes: 8,
    read: (v, at) => Number(v.getBigUint64(at, true)),
    write: (v, at, x) => v.setBigUint64(at, BigInt(Math.round(x)), true),
  },
  FloatArray: { bytes: 4, read: (v, at) => v.getFloat32(at, true), write: (v, at, x) => v.setFloat32(at, x, true) },
  DoubleArray: { bytes: 8, read: (v, at) => v.getFloat64(at, true), write: (v, at, x) => v.setFloat64(at, x, true) },
};
