import { describe, expect, it } from "vitest";
import { divergingColour, divergingPalette, mapSteps, paletteIndex } from "../../../agent/drawing/diverging-map.ts";
import { flow } from "../../../agent/drawing/flow.ts";
import { countInto, ticksTo } from "../../../agent/drawing/histogram.ts";
import { escapeXml } from "../../../agent/drawing/svg.ts";

/** Relative luminance of sRGB bytes (WCAG 2, IEC 61966-2-1). */
const luminance = (rgb: readonly number[]): number => {
  const [r, g, b] = rgb.map((byte) => (byte <= 10 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
};

describe("The diverging map", () => {
  const steps = Array.from({ length: 51 }, (_, i) => i / 50);

  it("darkens with every step away from zero, on both sides", () => {
    for (const sign of [-1, 1]) {
      const lights = steps.map((t) => luminance(divergingColour(sign * t)));
      for (let i = 1; i < lights.length; i++) expect(lights[i]).toBeLessThan(lights[i - 1]!);
    }
  });

  it("makes opposite values equally light: CIE L* within 5 of 100", () => {
    const starOf = (t: number) => 116 * Math.cbrt(luminance(divergingColour(t))) - 16;
    for (const t of steps) expect(Math.abs(starOf(t) - starOf(-t))).toBeLessThan(5);
  });

  it("is blue below zero, nearly white at zero, red above", () => {
    const [[r1, , b1], zero, [r2, , b2]] = [divergingColour(-0.6), divergingColour(0), divergingColour(0.6)];
    expect(b1).toBeGreaterThan(r1 + 60);
    expect(Math.min(...zero)).toBeGreaterThan(240);
    expect(r2).toBeGreaterThan(b2 + 60);
  });

  it("has a colour of its own for zero, and clips beyond its limits", () => {
    expect(divergingPalette()).toHaveLength(3 * mapSteps);
    expect([-9, -2, 0, 2, 9].map((value) => paletteIndex(value, 2))).toEqual([0, 0, 127, 254, 254]);
  });
});

describe("Boxes in lines", () => {
  const boxes = (...widths: number[]) => widths.map((width, item) => ({ item, width, height: 10 + item }));

  it("begin a new line where one is full", () => {
    const { placed, height } = flow(boxes(40, 40, 40), 100, { x: 10, y: 5 });
    expect(placed).toEqual([
      { item: 0, x: 0, y: 0 },
      { item: 1, x: 50, y: 0 },
      { item: 2, x: 0, y: 16 },
    ]);
    expect(height).toBe(16 + 12);
  });

  it("go back to the line before where they fit, and no further", () => {
    const low = [30, 95, 40].map((width, item) => ({ item, width, height: 10 }));
    expect(flow(low, 100, { x: 10, y: 5 }).placed[2]).toEqual({ item: 2, x: 40, y: 0 });
    const high = [30, 95, 40].map((width, item) => ({ item, width, height: 10 + item }));
    expect(flow(high, 100, { x: 10, y: 5 }).placed[2]!.y).toBe(31); // 10 + 5, 11 + 5
  });

  it("wider than a line stand alone in one", () => {
    expect(flow(boxes(10, 500, 10), 100, { x: 1, y: 0 }).placed.map(({ x }) => x)).toEqual([0, 0, 0]);
  });
});

describe("A histogram", () => {
  it("counts each value once, the limit and beyond into the last bin", () => {
    expect(countInto([Float32Array.of(0, 0.9, 1, 3.9), Float32Array.of(4, 7)], 4, 4)).toEqual([2, 1, 0, 3]);
  });

  it("has ticks at round numbers, three to ten of them, for every limit", () => {
    expect(ticksTo(28)).toEqual([0, 5, 10, 15, 20, 25]);
    for (let limit = 1; limit < 1000; limit *= 1.13) {
      expect(ticksTo(limit).length).toBeGreaterThanOrEqual(3);
      expect(ticksTo(limit).length).toBeLessThanOrEqual(10);
    }
  });
});

describe("Text in a drawing", () => {
  it("cannot end a tag", () => {
    expect(escapeXml(`<a b="c">&`)).toBe("&#60;a b=&#34;c&#34;&#62;&#38;");
  });
});
