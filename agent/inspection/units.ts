const prefixes: readonly (readonly [factor: number, prefix: string])[] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
  [1e-3, "m"],
  [1e-6, "µ"],
  [1e-9, "n"],
  [1e-12, "p"],
  [1e-15, "f"],
];

/** A quantity to three digits with the prefix that fits: `6.18 µJ`. Zero has none. */
export const withUnit = (value: number, unit: string): string => {
  if (value === 0 || !Number.isFinite(value)) return `${value} ${unit}`;
  const [factor, prefix] = prefixes.find(([size]) => Math.abs(value) >= 0.9995 * size) ?? prefixes.at(-1)!;
  return `${digits(value / factor)} ${prefix}${unit}`;
};

/** Three digits, never an exponent. */
export const digits = (value: number): string =>
  Math.abs(value) >= 999.5 ? Math.round(value).toLocaleString("en-GB") : String(Number(value.toPrecision(3)));

/** A share as per cent: enough decimals that 99.97 % is not 100 %. */
export const percent = (share: number): string => {
  const value = 100 * share;
  const left = 100 - value;
  if (left > 0 && left < 0.0005) return "> 99.999 %";
  const decimals = left > 0 && left < 0.1 ? 3 : left > 0 && left < 1 ? 2 : 1;
  return `${value.toFixed(decimals).replace(/^-/, "−")} %`;
};
