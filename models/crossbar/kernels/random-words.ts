/** Random words by counter, for Gaussian numbers: `assembly/random-words.ts` in plain TypeScript. */

const golden = 0x9e3779b9;

/** A word of 32 random bits, signed: the hash "triple32" (Wellons 2018) of a counter, the second key in its middle. */
export const randomWord = (counter: number, key0: number, key1: number): number => {
  let h = (Math.imul(counter, golden) + key0) | 0;
  h ^= h >>> 17;
  h = Math.imul(h, 0xed5ad4bb) ^ key1;
  h ^= h >>> 11;
  h = Math.imul(h, 0xac4c1b51);
  h ^= h >>> 15;
  h = Math.imul(h, 0x31848bab);
  return h ^ (h >>> 14);
};
