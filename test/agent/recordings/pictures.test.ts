import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { openPictures } from "../../../agent/recordings/pictures.ts";

const folder = mkdtempSync(join(tmpdir(), "pictures-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

const chunk = (type: string, data: Uint8Array): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, data, Buffer.alloc(4)]); // the check sum is not read
};

/** A PNG of 8 bits: each row with its filter in front. */
const png = (width: number, rows: readonly (readonly number[])[], colour: number): Buffer => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(rows.length, 4);
  header.set([8, colour], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  const data = chunk("IDAT", deflateSync(Buffer.from(rows.flat())));
  return Buffer.concat([signature, chunk("IHDR", header), data, chunk("IEND", Buffer.alloc(0))]);
};

describe("openPictures", () => {
  it("reads PGM in bytes and in decimals, and stretches other depths to 255", () => {
    const bytes = file("a.pgm", Buffer.concat([Buffer.from("P5\n# made here\n3 1\n255\n"), Buffer.from([1, 2, 200])]));
    expect(openPictures(bytes)).toMatchObject({ count: 1, height: 1, width: 3, pixels: Uint8Array.of(1, 2, 200) });
    expect([...openPictures(file("b.pgm", "P2 2 2 15\n0 5\n10 15\n")).pixels]).toEqual([0, 85, 170, 255]);
  });

  it("reads IDX images, gzipped too", () => {
    const idx = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6]);
    for (const bytes of [idx, gzipSync(idx)]) {
      expect(openPictures(file("c", bytes))).toMatchObject({ count: 2, height: 1, width: 2 });
    }
  });

  it("undoes all five filters of PNG", () => {
    // Rows of 10 20 40 under none, sub, up, average and Paeth, worked out by hand from PNG 9.2.
    const rows = [
      [0, 10, 20, 40],
      [1, 10, 10, 20],
      [2, 0, 0, 0],
      [3, 5, 5, 10],
      [4, 0, 0, 0],
    ];
    // Average: 10 − ⌊10/2⌋, 20 − ⌊(10+20)/2⌋, 40 − ⌊(20+40)/2⌋. Paeth picks the pixel above where rows are equal.
    expect([...openPictures(file("d.png", png(3, rows, 0))).pixels]).toEqual(
      Array.from({ length: 5 }, () => [10, 20, 40]).flat(),
    );
  });

  it("takes the luma of colours: 0.299 R + 0.587 G + 0.114 B", () => {
    const rows = [[0, 255, 0, 0, 0, 255, 0, 0, 0, 255]];
    expect([...openPictures(file("e.png", png(3, rows, 2))).pixels]).toEqual([76, 150, 29]);
  });

  it("says what is wrong: no file, other bytes, too few pixels", () => {
    expect(() => openPictures(join(folder, "none.pgm"))).toThrow("expected a file that can be read, got ENOENT");
    expect(() => openPictures(file("f.txt", "hello"))).toThrow("f.txt: expected an IDX header");
    expect(() => openPictures(file("g.pgm", "P5\n9 9\n255\nab"))).toThrow("g.pgm: expected 81 pixels, got 2");
    expect(() => openPictures(file("h.png", png(3, [[0, 1, 2, 3]], 3)))).toThrow("expected a PNG of 8 bits a sample");
  });
});
