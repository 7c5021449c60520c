import { crc32, inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { encodePng } from "../../../agent/drawing/png.ts";

/** The chunks of a PNG by their type, each checked against its sum. */
const chunksOf = (png: Uint8Array) => {
  const bytes = Buffer.from(png);
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const body = bytes.subarray(at + 4, at + 8 + length);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc32(body));
    chunks.set(body.toString("latin1", 0, 4), body.subarray(4));
    at += 12 + length;
  }
  return chunks;
};

describe("A PNG", () => {
  const palette = Uint8Array.of(255, 0, 0, 0, 0, 255);
  const image = { width: 3, height: 2, pixels: Uint8Array.of(0, 1, 0, 1, 1, 0), palette };

  it("begins with its signature, tells its size, and holds the rows that went in", () => {
    const png = encodePng(image);
    expect([...png.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
    const chunks = chunksOf(png);
    expect([...chunks.keys()]).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
    expect([...chunks.get("IHDR")!]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 8, 3, 0, 0, 0]);
    expect([...chunks.get("PLTE")!]).toEqual([...palette]);
    // Each row behind a zero: no filter.
    expect([...inflateSync(chunks.get("IDAT")!)]).toEqual([0, 0, 1, 0, 0, 1, 1, 0]);
  });

  it("ends in the chunk that the standard prints: IEND with the sum ae426082", () => {
    expect(Buffer.from(encodePng(image)).subarray(-12).toString("hex")).toBe("0000000049454e44ae426082");
  });

  it("is refused when pixels or palette do not fit", () => {
    expect(() => encodePng({ ...image, width: 4 })).toThrow("pixels: expected 2 × 4 bytes, at least one, got 6");
    expect(() => encodePng({ ...image, palette: new Uint8Array(4) })).toThrow(/palette: expected 1 … 256 colours/);
  });
});
