/** What the products of a circuit are made of at one moment: plain numbers, that a circuit of the same tile elsewhere can show. */
export type CircuitImage = PackedImage | DetailedImage;

/** Of a tile that is read plainly: packed conductances, variances and scales. */
export interface PackedImage {
  readonly kind: "packed";
  readonly weights: Int16Array;
  readonly variances: Uint8Array | undefined;
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
}

/** Of a tile that is read in detail. */
export interface DetailedImage {
  readonly kind: "detailed";
  readonly terms: readonly Float64Array[];
  readonly squares: Float32Array;
  /** Conductances of all devices, where they are solved for behind wires. */
  readonly allSiemens: Float32Array | undefined;
  readonly alpha: Float64Array;
  readonly offsets: Float32Array;
  readonly outputMax: number;
}

/** @throws RangeError unless the image is of that kind and size */
export const expectImage = <Kind extends CircuitImage["kind"]>(
  image: CircuitImage,
  kind: Kind,
  sizeOf: (image: Extract<CircuitImage, { kind: Kind }>) => readonly (number | undefined)[],
  expected: readonly (number | undefined)[],
): Extract<CircuitImage, { kind: Kind }> => {
  if (image.kind !== kind) throw new RangeError(`image: expected one of a tile read ${kind}, got ${image.kind}`);
  const same = image as Extract<CircuitImage, { kind: Kind }>;
  const got = sizeOf(same);
  if (expected.some((size, k) => size !== got[k]))
    throw new RangeError(`image: expected ${expected} numbers, got ${got}`);
  return same;
};

/** The memory of an image, each once, to be handed over instead of copied. */
export const buffersOf = (image: CircuitImage): readonly ArrayBuffer[] => {
  const arrays =
    image.kind === "packed"
      ? [image.weights, image.variances, image.scales, image.offsets]
      : [...image.terms, image.squares, image.allSiemens, image.alpha, image.offsets];
  return arrays.flatMap((values) => (values ? [values.buffer as ArrayBuffer] : []));
};
