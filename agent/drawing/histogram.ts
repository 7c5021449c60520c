import { at, box, ink, line, textAt } from "./svg.ts";

/** How many values fall into each of `bins` equal parts of 0 … `limit`; what lies beyond counts into the last. */
export const countInto = (values: readonly Float32Array[], bins: number, limit: number): number[] => {
  const counts = new Array<number>(bins).fill(0);
  for (const part of values) {
    for (const value of part) counts[Math.min(bins - 1, Math.max(0, Math.floor((value / limit) * bins)))]!++;
  }
  return counts;
};

export interface HistogramSeries {
  readonly name: string;
  readonly counts: readonly number[];
  readonly colour: string;
  /** Filled, or a line alone. */
  readonly filled: boolean;
}

/** Histograms over one another, counts on a logarithmic scale: steps over 0 … `limit`, in `unit`. */
export const histogram = (
  place: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  series: readonly HistogramSeries[],
  limit: number,
  label: string,
): string[] => {
  const { x, y, width, height } = place;
  const most = Math.max(1, ...series.flatMap(({ counts }) => counts));
  const decades = Math.max(1, Math.ceil(Math.log10(most)));
  const toY = (count: number): number =>
    y + height - (count < 1 ? 0 : (Math.log10(count) + 0.12) / (decades + 0.12)) * height;
  const parts: string[] = [];
  for (let decade = 0; decade <= decades; decade++) {
    const level = toY(10 ** decade);
    parts.push(line(x, level, x + width, level, ink.hair));
    parts.push(textAt(x - 8, level + 4, powerOfTen(decade), { size: 11, fill: ink.faint, anchor: "end" }));
  }
  for (const { counts, colour, filled } of series) {
    const step = width / counts.length;
    const path = counts.map((count, i) => `L${at(x + i * step)} ${at(toY(count))}H${at(x + (i + 1) * step)}`).join("");
    const outline = `M${at(x)} ${at(y + height)}${path}V${at(y + height)}`;
    parts.push(
      `<path d="${outline}" fill="${filled ? colour : "none"}" fill-opacity="${filled ? 0.3 : 1}" stroke="${colour}" stroke-width="1.4" stroke-linejoin="round"/>`,
    );
  }
  parts.push(line(x, y + height, x + width, y + height, ink.faint));
  for (const value of ticksTo(limit)) {
    const tx = x + (width * value) / limit;
    parts.push(line(tx, y + height, tx, y + height + 4, ink.faint));
    parts.push(textAt(tx, y + height + 17, String(value), { size: 11, fill: ink.faint, anchor: "middle" }));
  }
  parts.push(textAt(x + width / 2, y + height + 34, label, { size: 11, fill: ink.faint, anchor: "middle" }));
  series.forEach(({ name, colour, filled }, i) => {
    const top = y + 4 + i * 18;
    parts.push(
      box(x + width - 150, top - 4, 18, filled ? 9 : 1.6, colour, filled ? `fill-opacity="0.45"` : ""),
      textAt(x + width - 124, top + 5, name, { size: 11.5 }),
    );
  });
  return parts;
};

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const powerOfTen = (exponent: number): string =>
  exponent === 0 ? "1" : `10${[...String(exponent)].map((digit) => superscripts[Number(digit)]).join("")}`;

/** Multiples of 1, 2 or 5 · 10ⁿ from 0 to `limit`: four to nine of them. */
export const ticksTo = (limit: number): number[] => {
  const decade = 10 ** Math.floor(Math.log10(limit));
  const step = [decade / 10, decade / 5, decade / 2, decade, 2 * decade].find((size) => limit / size < 9)!;
  return Array.from({ length: Math.floor(limit / step + 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
};
