import { describe, expect, it } from "vitest";
import { Resampler } from "../../../pipelines/dsp/resampler.ts";
import { noise, sampled, sine } from "../blocks.ts";

const resampled = (signal: Float32Array, fromHz: number, toHz: number, channels = 1): Float32Array => {
  const resampler = new Resampler({ fromHz, toHz, channels });
  return Float32Array.from([...resampler.push(signal), ...resampler.flush()]);
};

/** Largest difference to the same signal sampled at the other rate, 80 samples of the lower rate away from the ends. */
const worst = (hz: number, fromHz: number, toHz: number): number => {
  const seconds = 2;
  const out = resampled(sampled(sine(hz), fromHz, seconds * fromHz), fromHz, toHz);
  const exact = sampled(sine(hz), toHz, out.length);
  const margin = Math.ceil((80 * toHz) / Math.min(fromHz, toHz));
  return Math.max(...out.slice(margin, -margin).map((y, i) => Math.abs(y - exact[i + margin]!)));
};

describe("Resampler", () => {
  for (const [fromHz, toHz] of [
    [44100, 16000],
    [48000, 16000],
    [8000, 16000],
    [360, 250],
    [130.27, 360],
    [997.3, 250.1],
  ] as const) {
    it(`keeps a tone at 0.8 of the lower Nyquist frequency from ${fromHz} to ${toHz} Hz within 1e-3 (80 dB design)`, () => {
      expect(worst(0.4 * Math.min(fromHz, toHz), fromHz, toHz)).toBeLessThan(1e-3);
    });
  }

  it("lets nothing through from beyond the new Nyquist frequency: −75 dB at 8.1 kHz to 16 kHz", () => {
    const out = resampled(sampled(sine(8100), 48000, 48000), 48000, 16000).slice(200, -200);
    expect(Math.max(...out.map(Math.abs))).toBeLessThan(10 ** (-75 / 20));
  });

  it("leaves a constant as it is, to its very ends", () => {
    for (const y of resampled(new Float32Array(500).fill(3), 360, 250)) expect(Math.abs(y - 3)).toBeLessThan(1e-6);
  });

  it("gives ⌈n · to / from⌉ samples for n", () => {
    expect(resampled(noise(441), 44100, 16000)).toHaveLength(160);
    expect(resampled(noise(442), 44100, 16000)).toHaveLength(161);
    expect(resampled(noise(3), 100, 1000)).toHaveLength(30);
  });

  it("gives the same, bit for bit, however the signal is cut", () => {
    const signal = noise(2000);
    const whole = resampled(signal, 360, 250);
    const resampler = new Resampler({ fromHz: 360, toHz: 250, channels: 1 });
    const parts: number[] = [];
    for (let i = 0, n = 1; i < signal.length; i += n, n = (n * 7) % 61)
      parts.push(...resampler.push(signal.slice(i, i + n)));
    parts.push(...resampler.flush());
    expect(parts).toEqual([...whole]);
  });

  it("treats interleaved channels each on its own", () => {
    const [a, b] = [noise(300, 1), noise(300, 2)];
    const both = Float32Array.from({ length: 600 }, (_, i) => (i % 2 === 0 ? a : b)[i >> 1]!);
    expect(resampled(both, 360, 250, 2).filter((_, i) => i % 2 === 1)).toEqual(resampled(b, 360, 250));
  });

  it("refuses rates more than 256 times apart", () => {
    expect(() => new Resampler({ fromHz: 16000, toHz: 1, channels: 1 })).toThrow(
      "fromHz, toHz: expected positive rates within a factor of 256, got 16000 and 1",
    );
  });
});
