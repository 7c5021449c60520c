/** Steps of the map: odd, so that zero has a colour of its own. */
export const mapSteps = 255;

/** Lightness of zero and of the ends, and the chroma half-way, in OKLab; hues in degrees. */
const look = { zero: 0.975, end: 0.33, chroma: 0.15, negativeHue: 255, positiveHue: 28 };

/**
 * The colour of t in −1 … 1: blue below zero, near white at zero, red above; sRGB bytes.
 *
 * Made in OKLab (Ottosson 2020): lightness falls evenly with |t| on both sides, so that equal conductances of
 * opposite sign look equally strong, to those who see no red as well.
 */
export const divergingColour = (t: number): readonly [red: number, green: number, blue: number] => {
  const strength = Math.min(1, Math.abs(t));
  const hue = ((t < 0 ? look.negativeHue : look.positiveHue) * Math.PI) / 180;
  const lightness = look.zero + (look.end - look.zero) * strength;
  const chroma = look.chroma * Math.sin((Math.PI / 2) * Math.min(1, 1.6 * strength)) * (1 - 0.25 * strength);
  return srgbOf(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue));
};

/** The map as a palette of `mapSteps` colours, 3 bytes each, from −1 to 1. */
export const divergingPalette = (): Uint8Array =>
  Uint8Array.from({ length: mapSteps }, (_, i) => i).reduce(
    (palette, i) => {
      palette.set(divergingColour((2 * i) / (mapSteps - 1) - 1), 3 * i);
      return palette;
    },
    new Uint8Array(3 * mapSteps),
  );

/** Index into the palette of a value between −`limit` and `limit`; beyond, the end. */
export const paletteIndex = (value: number, limit: number): number =>
  Math.round(((Math.max(-1, Math.min(1, value / limit)) + 1) / 2) * (mapSteps - 1));

/** OKLab to sRGB, clipped to what a screen shows. */
const srgbOf = (lightness: number, a: number, b: number): readonly [number, number, number] => {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    byteOf(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    byteOf(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    byteOf(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
};

const byteOf = (linear: number): number => {
  const x = Math.max(0, Math.min(1, linear));
  return Math.round(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055));
};
