import { describe, expect, it } from "vitest";
import { Dct } from "../../../pipelines/dsp/dct.ts";
import { LogMel } from "../../../pipelines/dsp/log-mel.ts";
import { hzToMel, melBands, melToHz } from "../../../pipelines/dsp/mel.ts";
import { RealFft } from "../../../pipelines/dsp/real-fft.ts";
import { Welch } from "../../../pipelines/dsp/welch.ts";
import { besselI0, hann, kaiser } from "../../../pipelines/dsp/window.ts";
import { noise, sampled, sine } from "../blocks.ts";

const energy = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x * x, 0);

describe("windows", () => {
  it("hann, shifted by half its length and added to itself, gives 1", () => {
    const w = hann(480);
    for (let i = 0; i < 240; i++) expect(w[i]! + w[i + 240]!).toBeCloseTo(1, 12);
  });

  it("besselI0 gives I₀(1) = 1.2660658778 and I₀(10) = 2815.716628 (Abramowitz & Stegun, table 9.8)", () => {
    expect(besselI0(1)).toBeCloseTo(1.2660658778, 9);
    expect(besselI0(10)).toBeCloseTo(2815.716628, 5);
  });

  it("kaiser is 1 in the middle, 1 / I₀(β) at the rim and 0 beyond", () => {
    expect(kaiser(0, 7.86)).toBe(1);
    expect(kaiser(1, 7.86)).toBeCloseTo(1 / besselI0(7.86), 12);
    expect(kaiser(1.01, 7.86)).toBe(0);
  });
});

describe("RealFft", () => {
  it("keeps the energy (Parseval) within 1e-12 of it", () => {
    const fft = new RealFft(512);
    const signal = noise(512);
    const power = new Float64Array(fft.bins);
    fft.powerInto(signal, power);
    const both = power.reduce((sum, p, k) => sum + (k === 0 || k === 256 ? 1 : 2) * p, 0) / 512;
    expect(Math.abs(both / energy(signal) - 1)).toBeLessThan(1e-12);
  });

  it("puts a cosine of k periods into bin k alone, with (N/2)²", () => {
    const fft = new RealFft(64);
    const power = new Float64Array(fft.bins);
    fft.powerInto(
      Float64Array.from({ length: 64 }, (_, n) => Math.cos((2 * Math.PI * 5 * n) / 64)),
      power,
    );
    expect(power[5]).toBeCloseTo(1024, 8);
    expect(power.reduce((sum, p) => sum + p, 0) - power[5]!).toBeCloseTo(0, 8);
  });

  it("refuses a length that is no power of two", () => {
    expect(() => new RealFft(480)).toThrow("samples: expected a power of two ≥ 2, got 480");
  });
});

describe("mel", () => {
  it("is 1000 mel at 1000 Hz within 0.1 and its own inverse", () => {
    expect(hzToMel(1000)).toBeCloseTo(1000, 1);
    for (const hz of [0, 31.25, 440, 4000]) expect(melToHz(hzToMel(hz))).toBeCloseTo(hz, 9);
  });

  it("lays bands that sum to 1 at every bin between the first and the last centre", () => {
    const { rows, centresHz } = melBands({ bands: 40, lowHz: 0, highHz: 4000, fftSamples: 512, sampleRateHz: 16000 });
    for (let bin = 0; bin <= 256; bin++) {
      const hz = (bin * 16000) / 512;
      if (hz < centresHz[0]! || hz > centresHz[39]!) continue;
      expect(rows.reduce((sum, { firstBin, weights }) => sum + (weights[bin - firstBin] ?? 0), 0)).toBeCloseTo(1, 12);
    }
  });

  it("refuses bands so narrow that one holds no bin", () => {
    const spec = { bands: 200, lowHz: 0, highHz: 4000, fftSamples: 512, sampleRateHz: 16000 };
    expect(() => melBands(spec)).toThrow("bands: expected bands wide enough to hold a bin, got 200");
  });
});

describe("LogMel", () => {
  const settings = { sampleRateHz: 16000, frameSamples: 480, fftSamples: 512, melBands: 40, lowHz: 0, highHz: 4000 };
  const { centresHz } = melBands({ ...settings, bands: 40 });
  const levelsOf = (signal: Float32Array): Float32Array => {
    const out = new Float32Array(40);
    new LogMel(settings).frameInto(signal, 0, out);
    return out;
  };

  it("is brightest in the band that a tone lies in", () => {
    for (const band of [3, 10, 20, 30, 38]) {
      const levels = levelsOf(sampled(sine(centresHz[band]!, 0.1), 16000, 480));
      expect(levels.indexOf(Math.max(...levels))).toBe(band);
    }
  });

  it("gives a tone in the middle of a bin the level of the formula: power (A · Σw / 2)² in int16 units, within 0.5", () => {
    const hz = 1000; // bin 32
    const power = ((0.01 * 32768 * 240) / 2) ** 2; // Σ hann(480) = 240
    const band = centresHz.findIndex((c) => Math.abs(hzToMel(c) - hzToMel(hz)) < 27);
    const spread = melBands({ ...settings, bands: 40 }).rows[band]!;
    const around = [31, 32, 33].map((bin) => spread.weights[bin - spread.firstBin] ?? 0);
    // A Hann window of 480 in an FFT of 512 gives its neighbours at ± 31.25 Hz this share of the peak's power.
    const hannAt = (x: number) => (Math.sin(Math.PI * x) / (Math.PI * x) / (1 - x * x)) ** 2;
    const share = around[1]! + (around[0]! + around[2]!) * hannAt(480 / 512);
    const level = levelsOf(sampled(sine(hz, 0.01), 16000, 480))[band]!;
    expect(Math.abs(level - (9.865 * Math.log(power * share) - 59.25))).toBeLessThan(0.5);
  });

  it("rises by 9.865 · ln 4 = 13.68 levels when the sound is twice as loud", () => {
    const quiet = levelsOf(noise(480).map((x) => 0.01 * x));
    const loud = levelsOf(noise(480).map((x) => 0.02 * x));
    for (const [band, level] of loud.entries()) expect(level - quiet[band]!).toBeCloseTo(9.865 * Math.log(4), 3);
  });

  it("is 0 for silence and never above 255", () => {
    expect(levelsOf(new Float32Array(480)).every((level) => level === 0)).toBe(true);
    expect(levelsOf(noise(480).map((x) => 1e9 * x)).every((level) => level === 255)).toBe(true);
  });
});

describe("Dct", () => {
  it("gives (5, −2.230442497, 0, −0.158512668) for (1, 2, 3, 4), as scipy.fft.dct with norm ortho", () => {
    const out = new Float32Array(4);
    new Dct(4, 4).applyInto([1, 2, 3, 4], 0, out, 0);
    for (const [k, x] of [5, -2.230442497, 0, -0.158512668].entries()) expect(out[k]).toBeCloseTo(x, 6);
  });

  it("has orthonormal rows", () => {
    const { matrix } = new Dct(40, 40);
    for (let a = 0; a < 40; a++) {
      for (let b = 0; b <= a; b++) {
        let dot = 0;
        for (let n = 0; n < 40; n++) dot += matrix[a * 40 + n]! * matrix[b * 40 + n]!;
        expect(Math.abs(dot - (a === b ? 1 : 0))).toBeLessThan(1e-12);
      }
    }
  });
});

describe("Welch", () => {
  const welch = new Welch({ segmentSamples: 1024, hopSamples: 512 });
  const power = new Float64Array(welch.bins);
  const total = () => power.reduce((a, b) => a + b, 0);

  it("gives a tone of amplitude A the power A²/2, spread over its bin and the next ones", () => {
    welch.powerInto(sampled(sine(3000, 2), 12000, 4096), power);
    expect(total()).toBeCloseTo(2, 3);
    expect(power[255]! + power[256]! + power[257]!).toBeCloseTo(2, 3);
  });

  it("gives white noise its variance of ⅓ within 5 % (4096 samples: σ of the estimate is 1.8 %)", () => {
    welch.powerInto(noise(4096), power);
    expect(Math.abs(total() * 3 - 1)).toBeLessThan(0.05);
  });

  it("does not see an offset", () => {
    welch.powerInto(new Float32Array(4096).fill(7), power);
    expect(total()).toBe(0);
  });
});
