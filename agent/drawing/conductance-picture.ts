import type { InspectedArray, InspectedTile } from "../inspection/inspect-model.ts";
import { divergingPalette, mapSteps, paletteIndex } from "./diverging-map.ts";
import { flow } from "./flow.ts";
import { countInto, type HistogramSeries, histogram } from "./histogram.ts";
import { encodePng, type IndexedImage } from "./png.ts";
import { at, box, ink, line, svgDocument, textAt } from "./svg.ts";

export interface PictureOptions {
  readonly title: string;
  /** A line or two under the title. */
  readonly subtitle: readonly string[];
  readonly gMaxSiemens: number;
  /** Name of the age that the second histogram shows, or none where it is zero. */
  readonly age: string | undefined;
  /** Shares of a whole that the bar at the foot shows, with what it stands for. */
  readonly bar: {
    readonly title: string;
    readonly shares: readonly { readonly name: string; readonly value: number }[];
  };
}

const page = { width: 1120, margin: 44, gapX: 34, gapY: 30 };
const inner = page.width - 2 * page.margin;
const labelHeight = 34;
const tileGap = 3;

/**
 * The conductances of a network as SVG text: every matrix a picture of G⁺ − G⁻, an output a row, an input a column, one
 * image a tile; the scale of colours; how conductances spread when programmed and later; where the energy goes.
 */
export const conductancePicture = (arrays: readonly InspectedArray[], options: PictureOptions): string => {
  const tiles = arrays.flatMap((array) => array.tiles);
  const limit = colourLimit(tiles);
  const scale = scaleFor(arrays);
  const palette = divergingPalette();
  const items = arrays.map((array) => roomOf(array, scale));
  const top = page.margin + 30 + 20 * options.subtitle.length + 18;
  const { placed, height } = flow(items, inner, gap);
  const foot = top + height + 56;
  const parts = [
    textAt(page.margin, page.margin + 14, options.title, { size: 25, weight: "600" }),
    ...options.subtitle.map((text, i) =>
      textAt(page.margin, page.margin + 40 + 20 * i, text, { size: 13, fill: ink.faint }),
    ),
    ...placed.flatMap(({ item, x, y }) => matrix(item, page.margin + x, top + y, scale, limit, palette)),
    line(page.margin, foot - 26, page.width - page.margin, foot - 26, ink.line),
    ...spread(tiles, options, { x: page.margin + 40, y: foot + 22, width: 500, height: 170 }),
    ...colourBar(limit, palette, { x: page.margin + 620, y: foot + 22, width: inner - 620 }),
    ...shares(options, { x: page.margin + 620, y: foot + 118, width: inner - 620 }),
  ];
  return svgDocument(page.width, foot + 262, options.title, parts);
};

const matrix = (
  array: InspectedArray,
  x: number,
  y: number,
  scale: number,
  limit: number,
  palette: Uint8Array,
): string[] => [
  textAt(x, y + 11, array.name, { size: 12.5, weight: "600" }),
  textAt(x, y + 26, captionOf(array), { size: 11, fill: ink.faint }),
  ...array.tiles.flatMap((tile) => {
    const place = placeOf(array, tile, scale);
    const [left, upper] = [x + place.x, y + labelHeight + place.y];
    const { width, height } = place;
    const png = Buffer.from(encodePng(imageOf(tile, limit, palette, scale))).toString("base64");
    return [
      `<image x="${at(left)}" y="${at(upper)}" width="${at(width)}" height="${at(height)}" preserveAspectRatio="none" style="image-rendering:pixelated" xlink:href="data:image/png;base64,${png}"/>`,
      box(left - 0.5, upper - 0.5, width + 1, height + 1, "none", `stroke="${ink.line}"`),
    ];
  }),
];

const captionOf = ({ outputs, inputs, tiles }: InspectedArray): string =>
  `${outputs} × ${inputs}${tiles.length > 1 ? `, ${tiles.length} tiles` : ""}`;

/** A pair is a square of pixels, not one that the viewer enlarges: some viewers blur what they enlarge. */
const imageOf = (
  { outputs, inputs, siemens }: InspectedTile,
  limit: number,
  palette: Uint8Array,
  scale: number,
): IndexedImage => {
  const side = Math.max(1, Math.round(2 * scale));
  const [width, height] = [inputs * side, outputs * side];
  const pixels = new Uint8Array(width * height);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      const p = 2 * (o * inputs + i);
      const from = o * side * width + i * side;
      pixels.fill(paletteIndex(siemens[p]! - siemens[p + 1]!, limit), from, from + side);
    }
    const top = o * side * width;
    for (let copy = 1; copy < side; copy++) pixels.copyWithin(top + copy * width, top, top + width);
  }
  return { width, height, pixels, palette };
};

/** Tiles stand as they are cut from the matrix, with a gap between them. */
const placeOf = ({ tiles }: InspectedArray, tile: InspectedTile, scale: number) => {
  const before = (key: "inputFrom" | "outputFrom") =>
    new Set(tiles.map((other) => other[key]).filter((from) => from < tile[key])).size;
  return {
    x: tile.inputFrom * scale + before("inputFrom") * tileGap,
    y: tile.outputFrom * scale + before("outputFrom") * tileGap,
    width: tile.inputs * scale,
    height: tile.outputs * scale,
  };
};

const sizeOf = (array: InspectedArray, scale: number): { width: number; height: number } => {
  const places = array.tiles.map((tile) => placeOf(array, tile, scale));
  return {
    width: Math.max(...places.map((place) => place.x + place.width)),
    height: Math.max(...places.map((place) => place.y + place.height)),
  };
};

/** Room that a matrix with its label takes. Letters are some 7.6 wide: text is not measured. */
const roomOf = (array: InspectedArray, scale: number) => {
  const { width, height } = sizeOf(array, scale);
  const labelWidth = Math.max(7.8 * array.name.length, 6.2 * captionOf(array).length);
  return { item: array, width: Math.max(width, labelWidth), height: height + labelHeight };
};

const gap = { x: page.gapX, y: page.gapY };

/** Pixels a pair, the same for all matrices, in halves: what leaves least of the page empty, up to a page of paper. */
const scaleFor = (arrays: readonly InspectedArray[]): number => {
  const fits = (scale: number) => arrays.every((array) => sizeOf(array, scale).width <= inner);
  const pairs = arrays.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  let best = { scale: 0, fill: 0 };
  for (let scale = 1; scale <= 8 && fits(scale); scale += 0.5) {
    const rooms = arrays.map((array) => roomOf(array, scale));
    const { height } = flow(rooms, inner, gap);
    const fill = (pairs * scale * scale) / (inner * height);
    if (fill > best.fill && (height <= 900 || best.scale === 0)) best = { scale, fill };
  }
  // A matrix wider than the page shrinks to it.
  const widest = Math.max(...arrays.map((array) => sizeOf(array, 1).width));
  return best.scale || inner / widest;
};

/** The scale of colours ends where all but one pair in two hundred lie within, so that outliers do not pale the rest. */
const colourLimit = (tiles: readonly InspectedTile[]): number => {
  const magnitudes = tiles.flatMap(({ siemens }) => {
    const differences: number[] = [];
    for (let d = 0; d < siemens.length; d += 2) differences.push(Math.abs(siemens[d]! - siemens[d + 1]!));
    return differences;
  });
  const sorted = Float64Array.from(magnitudes).sort();
  return sorted[Math.floor(0.995 * (sorted.length - 1))] || 1e-6;
};

const spread = (
  tiles: readonly InspectedTile[],
  { gMaxSiemens, age }: PictureOptions,
  place: { x: number; y: number; width: number; height: number },
): string[] => {
  const limit = Math.ceil(1.1 * gMaxSiemens * 1e6) * 1e-6;
  const count = (of: (tile: InspectedTile) => Float32Array) => countInto(tiles.map(of), 96, limit);
  const programmed: HistogramSeries = {
    name: "as programmed",
    counts: count(({ siemens }) => siemens),
    colour: ink.cool,
    filled: true,
  };
  const aged: HistogramSeries[] =
    age === undefined
      ? []
      : [{ name: `after ${age}`, counts: count(({ agedSiemens }) => agedSiemens), colour: ink.accent, filled: false }];
  return [
    textAt(place.x - 40, place.y - 12, "Conductances of all devices", { size: 13, weight: "600" }),
    ...histogram({ ...place, y: place.y + 8 }, [programmed, ...aged], limit * 1e6, "conductance, µS"),
  ];
};

const colourBar = (limit: number, palette: Uint8Array, place: { x: number; y: number; width: number }): string[] => {
  const { x, y, width } = place;
  const pixels = Uint8Array.from({ length: mapSteps }, (_, i) => i);
  const png = Buffer.from(encodePng({ width: mapSteps, height: 1, pixels, palette })).toString("base64");
  const label = (part: number) => {
    const micro = limit * part * 1e6;
    return `${micro > 0 ? "+" : micro < 0 ? "−" : ""}${Number(Math.abs(micro).toPrecision(3))}`;
  };
  return [
    textAt(x, y - 12, "Colour: G⁺ − G⁻ of each pair, µS", { size: 13, weight: "600" }),
    `<image x="${at(x)}" y="${at(y + 4)}" width="${at(width)}" height="14" preserveAspectRatio="none" xlink:href="data:image/png;base64,${png}"/>`,
    box(x - 0.5, y + 3.5, width + 1, 15, "none", `stroke="${ink.line}"`),
    ...[-1, -0.5, 0, 0.5, 1].map((part) =>
      textAt(x + (width * (part + 1)) / 2, y + 34, label(part), {
        size: 11,
        fill: ink.faint,
        anchor: part === -1 ? "start" : part === 1 ? "end" : "middle",
      }),
    ),
  ];
};

const shareColours = ["#8a4f2d", "#d08c4f", "#2f5f9e", "#7fa3cc", "#5d7f57", "#b9b4a7"];

const shares = ({ bar }: PictureOptions, place: { x: number; y: number; width: number }): string[] => {
  const { x, y, width } = place;
  const whole = bar.shares.reduce((sum, { value }) => sum + value, 0) || 1;
  let left = x;
  const bars = bar.shares.map(({ value }, i) => {
    const part = box(left, y + 4, (width * value) / whole, 14, shareColours[i % shareColours.length]!);
    left += (width * value) / whole;
    return part;
  });
  const legend = bar.shares.flatMap(({ name, value }, i) => {
    const [lx, ly] = [x + (i % 2) * (width / 2), y + 38 + Math.floor(i / 2) * 19];
    const percent = (100 * value) / whole;
    return [
      box(lx, ly - 9, 10, 10, shareColours[i % shareColours.length]!),
      textAt(lx + 17, ly, `${name} ${percent < 0.1 ? "< 0.1" : percent.toFixed(1)} %`, { size: 11.5 }),
    ];
  });
  return [textAt(x, y - 12, bar.title, { size: 13, weight: "600" }), ...bars, ...legend];
};
