import { crc32, deflateSync } from "node:zlib";

/** An image of palette indices: `pixels[height × width]`, top row first; `palette[3 · n]` bytes of red, green, blue, n ≤ 256. */
export interface IndexedImage {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  readonly palette: Uint8Array;
}

/** The bytes of a PNG file (ISO/IEC 15948), 8 bits a pixel, no filter. @throws RangeError where sizes do not fit */
export const encodePng = ({ width, height, pixels, palette }: IndexedImage): Uint8Array => {
  if (pixels.length !== width * height || width < 1 || height < 1) {
    throw new RangeError(`pixels: expected ${height} × ${width} bytes, at least one, got ${pixels.length}`);
  }
  if (palette.length % 3 !== 0 || palette.length > 768 || palette.length === 0) {
    throw new RangeError(`palette: expected 1 … 256 colours of 3 bytes, got ${palette.length} bytes`);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8); // depth, indexed colour, deflate, filter method 0, not interlaced
  const rows = Buffer.alloc(height * (width + 1));
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
};

const chunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
};
