import { describe, expect, it } from "vitest";
import { CrossbarArray } from "../../../models/crossbar/array.ts";
import type { ArraySpec } from "../../../models/crossbar/array-spec.ts";
import { cmoHfoxFalcone } from "../../../models/crossbar/devices/cmo-hfox-falcone.ts";
import { pcmNandakumar2019 } from "../../../models/crossbar/devices/pcm-nandakumar-2019.ts";
import { Arena } from "../../../models/crossbar/kernels/arena.ts";
import { slowNoise } from "../../../models/crossbar/slow-noise.ts";

const key = { seed: 3, arrayId: 1, index: 2 };
const numbered = (count: number) => Uint32Array.from({ length: count }, (_, d) => d);

const pathAt = (
  which: Uint32Array,
  atSeconds: number,
  seconds = 1e6,
  writes = new Uint32Array(which.length).fill(1),
) => {
  const out = new Float32Array(which.length);
  slowNoise(which, writes, atSeconds, seconds, key, out);
  return out;
};

describe("Slow noise", () => {
  const count = 4000;
  const devices = numbered(count);
  const meanSquare = (values: Float32Array) => values.reduce((sum, v) => sum + v * v, 0) / values.length;

  it.each([3, 20, 3600, 86_400, 31_536_000])("has variance ln t after %i s, to five standard errors", (seconds) => {
    for (const at of [seconds, seconds + 12_345.678]) {
      const measured = meanSquare(pathAt(devices, at, seconds));
      expect(Math.abs(measured / Math.log(seconds) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    }
  });
  it("wanders as 1/f noise does: the mean square of a difference grows by 2 ln 16 for each factor 16 of the lag", () => {
    const lags = [4, 64, 1024, 16_384];
    // Over several starts, since levels may be at any phase of theirs.
    const structure = lags.map((lag) => {
      let sum = 0;
      for (let s = 0; s < 12; s++) {
        const start = 100_000 + 7777.7 * s;
        const [now, later] = [pathAt(devices, start), pathAt(devices, start + lag)];
        sum += meanSquare(now.map((v, d) => v - later[d]!)) / 12;
      }
      return sum;
    });
    for (let i = 1; i < lags.length; i++) {
      expect(Math.abs((structure[i]! - structure[i - 1]!) / (2 * Math.log(16)) - 1)).toBeLessThan(0.1);
    }
  });
  it("has a spectrum of slope −1: over six octaves, averaged over devices, within 0.1", () => {
    const [some, length, period] = [numbered(150), 1024, 4];
    const rows = Array.from({ length }, (_, n) => pathAt(some, 500_000 + period * n));
    // A Hann window, so that what is slower than the record does not leak.
    const window = rows.map((_, n) => 1 - Math.cos((2 * Math.PI * (n + 0.5)) / length));
    const bins = [2, 4, 8, 16, 32, 64, 128];
    const power = bins.map((bin) => {
      let sum = 0;
      let used = 0;
      for (let k = bin; k < Math.max(bin + 1, 1.5 * bin); k += Math.max(1, bin / 4)) {
        const cosines = window.map((w, n) => w * Math.cos((2 * Math.PI * k * n) / length));
        const sines = window.map((w, n) => w * Math.sin((2 * Math.PI * k * n) / length));
        for (const d of some) {
          let [re, im] = [0, 0];
          for (let n = 0; n < length; n++) {
            re += rows[n]![d]! * cosines[n]!;
            im += rows[n]![d]! * sines[n]!;
          }
          sum += (re * re + im * im) * (k / bin); // to the bin's own frequency, were it 1/f
        }
        used += some.length;
      }
      return Math.log(sum / used);
    });
    const x = bins.map((bin) => Math.log(bin));
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const [mx, my] = [mean(x), mean(power)];
    const slope =
      x.reduce((sum, v, i) => sum + (v - mx) * (power[i]! - my), 0) / x.reduce((sum, v) => sum + (v - mx) ** 2, 0);
    expect(Math.abs(slope + 1)).toBeLessThan(0.1);
  });
  it("is a function of the moment: the same when asked twice, in any order, and for some devices alone", () => {
    const moments = [5, 1e5, 17.25, 3600];
    const forwards = moments.map((t) => pathAt(devices, t));
    const backwards = [...moments].reverse().map((t) => pathAt(devices, t));
    expect(backwards.reverse()).toEqual(forwards);
    const some = Uint32Array.of(7, 3000);
    const alone = new Float32Array(2);
    slowNoise(some, new Uint32Array(count).fill(1), 3600, 1e6, key, alone);
    expect([...alone]).toEqual([forwards[3]![7], forwards[3]![3000]]);
  });
  it("is continuous: a millisecond changes it by less than a hundredth of its deviation", () => {
    const [now, next] = [pathAt(devices, 4095.9995), pathAt(devices, 4096.0005)];
    expect(Math.sqrt(meanSquare(now.map((v, d) => v - next[d]!)))).toBeLessThan(0.01 * Math.sqrt(Math.log(1e6)));
  });
  it("begins another path with a new write, and is independent between devices", () => {
    const path = pathAt(devices, 3600);
    const other = pathAt(devices, 3600, 1e6, new Uint32Array(count).fill(2));
    const correlation = (a: Float32Array, b: Float32Array) =>
      a.reduce((sum, v, d) => sum + v * b[d]!, 0) / Math.sqrt(meanSquare(a) * meanSquare(b)) / a.length;
    const most = 5 / Math.sqrt(count);
    expect(Math.abs(correlation(path, other))).toBeLessThan(most);
    expect(Math.abs(correlation(path.subarray(0, 3999), path.subarray(1)))).toBeLessThan(most);
  });
});

describe.each([pcmNandakumar2019, cmoHfoxFalcone])("A tile of $name that follows its slow noise", (device) => {
  const [outputs, inputs] = [40, 50];
  const weights = Float32Array.from({ length: outputs * inputs }, (_, p) => 0.5 + 0.5 * Math.sin(p));
  const make = (spec: Partial<ArraySpec> = {}) => {
    const arena = new Arena(1_000_000);
    const base = { device, dacBits: 8, adcBits: 16, tileInputs: 256, tileOutputs: 256, inputMax: 1, seed: 1 };
    const more = { arrayId: 0, maxBatch: 1, kernel: "simd", slowNoise: true } as const;
    return new CrossbarArray(weights, outputs, inputs, { ...base, ...more, ...spec }, arena);
  };
  const [slow, plain] = [make().tiles[0]!, make({ slowNoise: false }).tiles[0]!];

  it.each([3600, 86_400])("has the published variance after %i s, a slow and a fast part together", (age) => {
    const [path, mean] = [slow.conductancesAt(age), plain.conductancesAt(age)];
    const [fast, all] = [slow.readVariancesAt(age), plain.readVariancesAt(age)];
    let [sum, count] = [0, 0];
    for (let d = 0; d < path.length; d++) {
      if (!(path[d]! > 0 && all[d]! > 0)) continue;
      expect(fast[d]).toBeLessThan(all[d]!);
      sum += (path[d]! - mean[d]!) ** 2 / (all[d]! - fast[d]!);
      count++;
    }
    expect(count).toBeGreaterThan(2000);
    expect(Math.abs(sum / count - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
  });
  it("keeps the error of a read until time passes, where plain noise forgets it", () => {
    // Means of many reads: the fast part goes away, the slow one stays.
    const meanOf = (array: CrossbarArray, arena: Arena): Float64Array => {
      const [x, y] = [arena.float32(inputs).fill(1), arena.float32(outputs)];
      const sum = new Float64Array(outputs);
      for (let inference = 0; inference < 400; inference++) {
        array.mvm(x, y, 1, inference);
        for (let o = 0; o < outputs; o++) sum[o]! += y[o]! / 400;
      }
      return sum;
    };
    const arena = new Arena(2_000_000);
    const base = { device, dacBits: 8, adcBits: 16, tileInputs: 256, tileOutputs: 256, inputMax: 1, seed: 1 };
    const more = { arrayId: 0, maxBatch: 1, kernel: "simd" } as const;
    const arrays = [true, false].map(
      (slowNoise) => new CrossbarArray(weights, outputs, inputs, { ...base, ...more, slowNoise }, arena),
    );
    for (const array of arrays) array.ageTo(86_400);
    const [followed, forgotten] = arrays.map((array) => meanOf(array, arena));
    const again = meanOf(arrays[0]!, arena);
    const distance = (a: Float64Array, b: Float64Array) => Math.hypot(...a.map((v, o) => v - b[o]!));
    expect(distance(followed!, again)).toBe(0);
    arrays[0]!.ageTo(2 * 86_400);
    arrays[0]!.ageTo(86_400);
    expect(distance(meanOf(arrays[0]!, arena), followed!)).toBe(0);
    expect(distance(followed!, forgotten!)).toBeGreaterThan(0);
  });
});
