import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodePcm, decodeWav, encodePcm, encodeWav, type WavFormat } from "../../../agent/recordings/wav.ts";

const ascii = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
const le = (value: number, bytes: number) =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 0xff);
const chunk = (id: string, body: number[]) => [
  ...ascii(id),
  ...le(body.length, 4),
  ...body,
  ...(body.length % 2 ? [0] : []),
];
const riff = (...chunks: number[][]) => {
  const body = [...ascii("WAVE"), ...chunks.flat()];
  return Uint8Array.from([...ascii("RIFF"), ...le(body.length, 4), ...body]);
};
const plainFormat = (code: number, channels: number, bits: number) => [
  ...le(code, 2),
  ...le(channels, 2),
  ...le(16000, 4),
  ...le((16000 * channels * bits) / 8, 4),
  ...le((channels * bits) / 8, 2),
  ...le(bits, 2),
];

describe("decodeWav", () => {
  it("reads the codes of each width as full scale ±1, as the RIFF specification lays them out", () => {
    const cases: [WavFormat, number[], number[]][] = [
      ["u8", [0, 128, 192], [-1, 0, 0.5]],
      ["s16le", [0x00, 0x80, 0x00, 0x40, 0xff, 0xff], [-1, 0.5, -1 / 32768]],
      ["s24le", [0, 0, 0x80, 0, 0, 0x40, 0xff, 0xff, 0xff], [-1, 0.5, -1 / 8388608]],
      ["s32le", [0, 0, 0, 0x80, 0, 0, 0, 0x40], [-1, 0.5]],
      ["f32le", [0, 0, 0x80, 0x3f, 0, 0, 0x00, 0xbf], [1, -0.5]],
    ];
    for (const [format, bytes, values] of cases) {
      expect([...decodePcm(Uint8Array.from(bytes), format)]).toEqual(values);
      const bits = { u8: 8, s16le: 16, s24le: 24, s32le: 32, f32le: 32 }[format];
      const result = decodeWav(
        riff(chunk("fmt ", plainFormat(format === "f32le" ? 3 : 1, 1, bits)), chunk("data", bytes)),
      );
      expect(result.ok && [...result.wav.samples]).toEqual(values);
    }
  });

  it("finds the data behind chunks of odd length that it does not know", () => {
    const bytes = riff(
      chunk("LIST", [1, 2, 3]),
      chunk("fmt ", plainFormat(1, 2, 16)),
      chunk("fact", [9]),
      chunk("data", [0, 0x40, 0, 0xc0]),
    );
    expect(decodeWav(bytes)).toEqual({
      ok: true,
      wav: { sampleRateHz: 16000, channels: 2, format: "s16le", samples: Float32Array.of(0.5, -0.5) },
    });
  });

  it("takes the real code of an extensible header from its sub-format", () => {
    const guidTail = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
    const format = [...plainFormat(0xfffe, 1, 24), ...le(22, 2), ...le(24, 2), ...le(4, 4), ...le(1, 2), ...guidTail];
    const result = decodeWav(riff(chunk("fmt ", format), chunk("data", [0, 0, 0x40])));
    expect(result.ok && [...result.wav.samples]).toEqual([0.5]);
  });

  it("says what is missing at every length short of the whole, and reads whole frames of it when lenient", () => {
    const samples = Float32Array.of(0.25, -0.25, 0.5, -0.5);
    const bytes = encodeWav({ sampleRateHz: 8000, channels: 1, format: "s16le", samples });
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeWav(bytes.subarray(0, length)).ok, `${length} bytes`).toBe(false);
    }
    const cut = decodeWav(bytes.subarray(0, bytes.length - 3), { lenient: true });
    expect(cut.ok && [...cut.wav.samples]).toEqual([0.25, -0.25]);
  });

  it("never throws on bytes that begin like a WAV", () => {
    const tail = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(tail, fc.boolean(), (bytes, lenient) => {
        decodeWav(riff([...bytes]), { lenient });
        decodeWav(bytes, { lenient });
      }),
    );
  });
});

describe("encodePcm", () => {
  it("gives back what it was given within half a step, and clips what lies beyond full scale", () => {
    const samples = Float32Array.from({ length: 101 }, (_, i) => (i - 50) / 51);
    for (const [format, step] of [
      ["u8", 2 ** -7],
      ["s16le", 2 ** -15],
      ["s24le", 2 ** -23],
      ["s32le", 2 ** -24],
      ["f32le", 0],
    ] as const) {
      const back = decodePcm(encodePcm(samples, format), format);
      for (const [i, x] of samples.entries()) expect(Math.abs(back[i]! - x)).toBeLessThanOrEqual(step / 2);
      expect(decodePcm(encodePcm([-1], format), format)[0]).toBe(-1);
    }
    expect([...encodePcm([2, -2], "s16le")]).toEqual([0xff, 0x7f, 0x00, 0x80]);
  });
});
