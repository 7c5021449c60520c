/** How the samples of a WAV are stored. */
export type WavFormat = "s16le" | "s24le" | "s32le" | "f32le" | "u8";

/** The content of a WAV: full scale is ±1, interleaved [time × channels]. */
export interface Wav {
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly format: WavFormat;
  readonly samples: Float32Array;
}

export type WavResult = { readonly ok: true; readonly wav: Wav } | { readonly ok: false; readonly problem: string };

const bytesOf: Record<WavFormat, number> = { u8: 1, s16le: 2, s24le: 3, s32le: 4, f32le: 4 };

/**
 * Reads a complete RIFF/WAVE: PCM of 8, 16, 24 or 32 bits or float of 32, plain or extensible header, chunks in any
 * order. A data chunk that claims more than there is (a header written before a stream's end was known) gives the whole
 * frames there are, if `lenient`; else it is a problem. Never throws.
 */
export const decodeWav = (bytes: Uint8Array, { lenient = false }: { readonly lenient?: boolean } = {}): WavResult => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  const no = (problem: string): WavResult => ({ ok: false, problem });
  if (bytes.length < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE") {
    return no(`expected a WAV that begins with RIFF … WAVE, got ${bytes.length} bytes of something else`);
  }
  let header: { format: WavFormat; channels: number; sampleRateHz: number } | undefined;
  let data: Uint8Array | undefined;
  for (let at = 12; at + 8 <= bytes.length && (header === undefined || data === undefined); ) {
    const id = tag(at);
    const size = view.getUint32(at + 4, true);
    const body = at + 8;
    if (id === "data") {
      if (body + size > bytes.length && !lenient) {
        return no(`expected ${size} bytes in the data chunk, got ${bytes.length - body}`);
      }
      data = bytes.subarray(body, Math.min(bytes.length, body + size));
    } else if (id === "fmt ") {
      if (size < 16 || body + size > bytes.length)
        return no(`expected a format chunk of 16 bytes or more, got ${size}`);
      const bits = view.getUint16(body + 14, true);
      const code = view.getUint16(body, true);
      // An extensible header keeps the real code in the first two bytes of its sub-format.
      const kind = code === 0xfffe && size >= 26 ? view.getUint16(body + 24, true) : code;
      const format = formatOf(kind, bits);
      if (format === undefined)
        return no(`expected PCM of 8, 16, 24 or 32 bits or float of 32, got code ${kind} of ${bits} bits`);
      header = { format, channels: view.getUint16(body + 2, true), sampleRateHz: view.getUint32(body + 4, true) };
    }
    at = body + size + (size % 2);
  }
  if (header === undefined) return no("expected a format chunk, got none");
  if (data === undefined) return no("expected a data chunk, got none");
  if (header.channels === 0 || header.sampleRateHz === 0) {
    return no(`expected at least one channel and a rate, got ${header.channels} channels at ${header.sampleRateHz} Hz`);
  }
  const frameBytes = bytesOf[header.format] * header.channels;
  if (data.length % frameBytes !== 0 && !lenient) {
    return no(`expected whole frames of ${frameBytes} bytes, got ${data.length} bytes of data`);
  }
  const whole = data.subarray(0, data.length - (data.length % frameBytes));
  return { ok: true, wav: { ...header, samples: decodePcm(whole, header.format) } };
};

/** Samples from raw little-endian PCM, full scale ±1 (unsigned 8 bit: 128 is zero). Bytes after the last whole sample are left out. */
export const decodePcm = (bytes: Uint8Array, format: WavFormat): Float32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.length / bytesOf[format]);
  const samples = new Float32Array(count);
  // A loop a format: one that calls a reader by format is several times slower, and every raw payload comes through here.
  switch (format) {
    case "u8":
      for (let i = 0; i < count; i++) samples[i] = (bytes[i]! - 128) / 128;
      break;
    case "s16le":
      for (let i = 0; i < count; i++) samples[i] = view.getInt16(2 * i, true) / 32768;
      break;
    case "s24le":
      for (let i = 0; i < count; i++) {
        samples[i] = (view.getUint16(3 * i, true) + view.getInt8(3 * i + 2) * 65536) / 8388608;
      }
      break;
    case "s32le":
      for (let i = 0; i < count; i++) samples[i] = view.getInt32(4 * i, true) / 2147483648;
      break;
    case "f32le":
      for (let i = 0; i < count; i++) samples[i] = view.getFloat32(4 * i, true);
      break;
  }
  return samples;
};

/** Raw little-endian PCM from samples of full scale ±1; what lies beyond is clipped, NaN becomes 0 (but stays in float). */
export const encodePcm = (samples: ArrayLike<number>, format: WavFormat): Uint8Array => {
  const width = bytesOf[format];
  const bytes = new Uint8Array(samples.length * width);
  const view = new DataView(bytes.buffer);
  const half = 2 ** (8 * width - 1);
  for (let i = 0; i < samples.length; i++) {
    const at = i * width;
    if (format === "f32le") {
      view.setFloat32(at, samples[i]!, true);
      continue;
    }
    const code = Math.max(-half, Math.min(half - 1, Math.round(samples[i]! * half))) || 0;
    if (format === "u8") view.setUint8(at, code + 128);
    else if (format === "s16le") view.setInt16(at, code, true);
    else if (format === "s32le") view.setInt32(at, code, true);
    else {
      view.setUint16(at, code & 0xffff, true);
      view.setInt8(at + 2, code >> 16);
    }
  }
  return bytes;
};

/** Writes a plain WAV of samples of full scale ±1. */
export const encodeWav = ({ sampleRateHz, channels, format, samples }: Wav): Uint8Array => {
  const data = encodePcm(samples, format);
  const padded = data.length + (data.length % 2);
  const bytes = new Uint8Array(44 + padded);
  const view = new DataView(bytes.buffer);
  const width = bytesOf[format];
  const tag = (at: number, text: string) => {
    for (let i = 0; i < 4; i++) bytes[at + i] = text.charCodeAt(i);
  };
  tag(0, "RIFF");
  view.setUint32(4, 36 + padded, true);
  tag(8, "WAVE");
  tag(12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, format === "f32le" ? 3 : 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * channels * width, true);
  view.setUint16(32, channels * width, true);
  view.setUint16(34, 8 * width, true);
  tag(36, "data");
  view.setUint32(40, data.length, true);
  bytes.set(data, 44);
  return bytes;
};

const formatOf = (code: number, bits: number): WavFormat | undefined => {
  if (code === 3) return bits === 32 ? "f32le" : undefined;
  if (code !== 1) return undefined;
  return ({ 8: "u8", 16: "s16le", 24: "s24le", 32: "s32le" } as const)[bits];
};
