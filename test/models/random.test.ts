import { describe, expect, it } from "vitest";
import { CounterRandom, philox4x32, SequentialRandom } from "../../models/random.ts";

describe("philox4x32", () => {
  // Known answers of Random123 1.14, tests/kat_vectors, lines "philox4x32 10".
  const knownAnswers = [
    { counter: [0, 0, 0, 0], key: [0, 0], block: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      block: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      block: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ];
  it("gives the three known answers of Random123", () => {
    for (const { counter, key, block } of knownAnswers) {
      const out = new Uint32Array(4);
      philox4x32(counter[0]!, counter[1]!, counter[2]!, counter[3]!, key[0]!, key[1]!, out);
      expect([...out]).toEqual(block);
    }
  });
});

describe("CounterRandom", () => {
  it("gives the same number at an index whatever was asked before", () => {
    const random = new CounterRandom(7, [1, 2, 3]);
    const forwards = Array.from({ length: 50 }, (_, i) => random.gaussianAt(i));
    const backwards = Array.from({ length: 50 }, (_, i) => random.gaussianAt(49 - i)).reverse();
    expect(backwards).toEqual(forwards);
    const filled = new Float64Array(20);
    random.fillGaussian(filled, 30);
    expect([...filled]).toEqual(forwards.slice(30));
    const picked = new Float64Array(6);
    random.pickGaussians(Uint32Array.of(9, 2, 5), Uint32Array.of(3, 4, 3), 2, picked);
    const [other4, other5] = [4, 5].map((i) => new CounterRandom(7, [1, 2, 4]).gaussianAt(i));
    expect([...picked]).toEqual([forwards[18], forwards[19], other4, other5, forwards[10], forwards[11]]);
  });
  it("has the moments and the distribution of N(0, 1)", () => {
    const n = 200_000;
    const out = new Float64Array(n);
    new CounterRandom(1).fillGaussian(out);
    const moment = (k: number) => out.reduce((sum, x) => sum + x ** k, 0) / n;
    // Five standard errors: var(x) = 1, var(x²) = 2, var(x³) = 15, var(x⁴) = 96.
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
    // Φ(1) and Φ(2) of the tables; five standard errors of a proportion.
    const below = (limit: number) => out.filter((x) => x < limit).length / n;
    expect(Math.abs(below(1) - 0.841345)).toBeLessThan(5 * Math.sqrt((0.841 * 0.159) / n));
    expect(Math.abs(below(2) - 0.97725)).toBeLessThan(5 * Math.sqrt((0.977 * 0.023) / n));
  });
  it("gives streams, seeds and high halves of seeds that do not correlate", () => {
    const n = 20_000;
    const draw = (seed: number, stream: [number, number, number]) => {
      const out = new Float64Array(n);
      new CounterRandom(seed, stream).fillGaussian(out);
      return out;
    };
    const base = draw(5, [0, 0, 0]);
    for (const other of [draw(6, [0, 0, 0]), draw(5 + 2 ** 32, [0, 0, 0]), draw(5, [1, 0, 0]), draw(5, [0, 0, 1])]) {
      const correlation = base.reduce((sum, x, i) => sum + x * other[i]!, 0) / n;
      expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(n)); // five standard errors
    }
  });
  it("says which seed and stream it expected", () => {
    expect(() => new CounterRandom(-1)).toThrow("seed: expected an integer ≥ 0, got -1");
    expect(() => new CounterRandom(1.5)).toThrow("seed: expected an integer ≥ 0, got 1.5");
    expect(() => new CounterRandom(1, [0, -1, 0])).toThrow("stream: expected integers in 0 … 4294967295, got -1");
  });
});

describe("SequentialRandom", () => {
  it("repeats itself from the same seed and draws each integer about equally often", () => {
    const first = new SequentialRandom(3);
    const second = new SequentialRandom(3);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70_000; i++) {
      const drawn = first.integer(7);
      expect(second.integer(7)).toBe(drawn);
      counts[drawn]!++;
    }
    // Five standard deviations of a binomial count of mean 10 000.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(5 * Math.sqrt(10_000 * (6 / 7)));
  });
  it("shuffles without losing an element", () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    new SequentialRandom(1).shuffle(items);
    expect(items).not.toEqual([...items].sort((a, b) => a - b));
    expect([...items].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});
