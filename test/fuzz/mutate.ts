import fc from "fast-check";

/** One change of a piece of bytes; `at` and `from` are places as parts of the whole. */
interface Mutation {
  readonly kind: "flip" | "set" | "cut" | "drop" | "insert" | "repeat" | "number" | "word";
  readonly at: number;
  readonly from: number;
  readonly length: number;
  readonly value: number;
}

/** Numbers at the edges of integers, lengths and varints. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

const kinds = ["flip", "set", "cut", "drop", "insert", "repeat", "number", "word"] as const;
const part = fc.double({ min: 0, max: 1, noNaN: true });
const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...kinds),
  at: part,
  from: part,
  length: fc.nat(16),
  value: fc.nat(0xffff),
});

/** What a payload is made into: which seed, and the changes to it; now and then bytes from nowhere. */
export const mutated = (seeds: readonly Uint8Array[], words: readonly string[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
    {
      weight: 15,
      arbitrary: fc
        .tuple(fc.nat(seeds.length - 1), fc.array(mutation, { minLength: 1, maxLength: 6 }))
        .map(([seed, mutations]) => mutations.reduce((bytes, each) => mutate(bytes, each, words), seeds[seed]!)),
    },
  );

const encoder = new TextEncoder();

const mutate = (bytes: Uint8Array, mutation: Mutation, words: readonly string[]): Uint8Array => {
  const { kind, value, length } = mutation;
  const at = Math.floor(mutation.at * bytes.length);
  const from = Math.floor(mutation.from * bytes.length);
  const put = (position: number, removed: number, added: Uint8Array): Uint8Array => {
    const result = new Uint8Array(position + added.length + Math.max(0, bytes.length - position - removed));
    result.set(bytes.subarray(0, position));
    result.set(added, position);
    result.set(bytes.subarray(position + removed), position + added.length);
    return result;
  };
  switch (kind) {
    case "flip":
      return put(at, 1, Uint8Array.of((bytes[at] ?? 0) ^ (1 << (value % 8))));
    case "set":
      return put(at, 1, Uint8Array.of(value & 0xff));
    case "cut":
      return bytes.slice(0, at);
    case "drop":
      return put(at, length, new Uint8Array());
    case "insert":
      return put(
        at,
        0,
        Uint8Array.from({ length }, (_, i) => (value * (i + 1)) & 0xff),
      );
    case "repeat":
      return put(at, 0, bytes.slice(from, from + 4 * length));
    case "number": {
      const number = new Uint8Array(4);
      new DataView(number.buffer).setUint32(0, edges[value % edges.length]!, true);
      return put(at, 4, number);
    }
    case "word":
      return words.length === 0 ? bytes : put(at, 0, encoder.encode(words[value % words.length]!));
  }
};
