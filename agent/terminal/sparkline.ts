const steps = "▁▂▃▄▅▆▇█";

/** Values as a row of eight-step bars between their own minimum and maximum; a space where a value is not finite. */
export const sparkline = (values: readonly number[] | Float32Array): string => {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const span = high - low || 1;
  return Array.from(values, (value) =>
    Number.isFinite(value) ? steps[Math.min(7, Math.floor(((value - low) / span) * 8))]! : " ",
  ).join("");
};

/** A fraction 0 … 1 as a bar of `width` characters. */
export const bar = (fraction: number, width: number): string => {
  const full = Math.round(Math.max(0, Math.min(1, Number.isFinite(fraction) ? fraction : 0)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
};

/**
 * One channel of interleaved samples as a picture: `width` columns, each a bar from the least to the greatest sample
 * in it, `height` lines, greatest on top.
 *
 * @param samples [time × channels]
 */
export const plot = (
  samples: Float32Array,
  channels: number,
  channel: number,
  size: { readonly width: number; readonly height: number },
): readonly string[] => {
  const { width, height } = size;
  const length = Math.floor(samples.length / channels);
  const columns = Math.min(width, length);
  const lows = new Array<number>(columns).fill(Number.POSITIVE_INFINITY);
  const highs = new Array<number>(columns).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < length; i++) {
    const x = samples[i * channels + channel]!;
    const column = Math.floor((i * columns) / length);
    if (!Number.isFinite(x)) continue;
    lows[column] = Math.min(lows[column]!, x);
    highs[column] = Math.max(highs[column]!, x);
  }
  const low = Math.min(...lows);
  const high = Math.max(...highs);
  if (!(high >= low)) return [];
  const lineOf = (x: number): number => Math.min(height - 1, Math.floor(((high - x) / (high - low || 1)) * height));
  return Array.from({ length: height }, (_, line) =>
    Array.from({ length: columns }, (_, column) => {
      if (!(highs[column]! >= lows[column]!)) return " ";
      return line >= lineOf(highs[column]!) && line <= lineOf(lows[column]!) ? "█" : " ";
    }).join(""),
  );
};
