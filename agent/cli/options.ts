import { InvalidArgumentError } from "commander";

/** Parser of an option that is a number in a range. */
export const numberIn =
  (low: number, high: number) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= low && value <= high)) {
      throw new InvalidArgumentError(`expected a number ${low} … ${high}, got ${JSON.stringify(text)}`);
    }
    return value;
  };

/** Parser of an option that is a whole number in a range. */
export const integerIn =
  (low: number, high: number) =>
  (text: string): number => {
    const value = numberIn(low, high)(text);
    if (!Number.isInteger(value)) throw new InvalidArgumentError(`expected an integer, got ${JSON.stringify(text)}`);
    return value;
  };

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800, y: 31536000 };

/** Parser of an age: `0`, `90s`, `1h`, `30d`, `1y`. @returns seconds */
export const age = (text: string): number => {
  const parts = /^(\d+(?:\.\d+)?)([smhdwy]?)$/.exec(text);
  if (parts === null)
    throw new InvalidArgumentError(`expected an age such as 0s, 1h, 1d or 1y, got ${JSON.stringify(text)}`);
  return Number(parts[1]) * secondsOf[parts[2] || "s"]!;
};

/** Parser of a point in time: ISO 8601, or nanoseconds since 1970 as a plain integer. @returns ns since 1970 */
export const timeNs = (text: string): bigint => {
  if (/^-?\d+$/.test(text)) return BigInt(text);
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new InvalidArgumentError(`expected a time such as 2026-11-23T10:00:00Z, got ${JSON.stringify(text)}`);
  return BigInt(ms) * 1_000_000n;
};
