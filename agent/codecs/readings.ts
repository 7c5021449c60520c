import { blockOf, refuse } from "./chunk.ts";
import { isRecord, kindOf, parseJson } from "./json.ts";
import type { DecodeResult, PayloadCodec } from "./payload-codec.ts";
import { RunningTime } from "./running-time.ts";

/** Keys under which cheap sensors send their clock. */
const timeKeys = ["t0_ns", "timestamp", "time", "ts", "datetime"];

/**
 * One message a reading, as cheap sensors send: a plain number (`21.5`) or a flat JSON object (`{"flow": 32, "p": 1.2}`).
 * The rate is the settings'. Channels are the settings' too, or else the numbers of the first object in its order; a
 * channel that is missing or null is NaN, keys that are no channel are left out. A time is ISO 8601 or a count of s, ms,
 * µs or ns since 1970 under `timestamp`, `time`, `ts`, `datetime` or `t0_ns`.
 */
export const createReadingsCodec = (): PayloadCodec => {
  const runningTime = new RunningTime();
  let learned: readonly string[] | undefined;
  return {
    name: "readings",
    decode(payload, context): DecodeResult {
      const parsed = parseJson(payload);
      if ("ok" in parsed) return parsed;
      const { value } = parsed;
      const chunk = { rateHz: undefined, scale: undefined, n: 1, isLeadOff: false };
      const { channels } = context.settings;
      if (typeof value === "number") {
        const values = Float32Array.of(value * (context.settings.scale ?? 1));
        return blockOf({ ...chunk, t0Ns: undefined, channels, values }, { context, runningTime });
      }
      if (!isRecord(value)) {
        return refuse("malformed", `payload: expected a number or a flat JSON object, got ${kindOf(value)}`);
      }
      const timeKey = timeKeys.find((key) => value[key] !== undefined);
      const t0Ns = timeKey === undefined ? undefined : timeOf(value[timeKey], timeKey, parsed.text);
      if (timeKey !== undefined && t0Ns === undefined) {
        return refuse(
          "wrong-time",
          `${timeKey}: expected ISO 8601 or a count since 1970, got ${shown(value[timeKey])}`,
        );
      }
      const names = channels ?? learned ?? Object.keys(value).filter((key) => typeof value[key] === "number");
      const numbers = names.filter((name) => name !== timeKey);
      if (!numbers.some((name) => typeof value[name] === "number")) {
        return refuse("missing-field", `payload: expected a number under ${numbers.join(" or ") || "a key"}, got none`);
      }
      learned ??= numbers;
      const wrong = numbers.find((name) => !["number", "undefined"].includes(typeof (value[name] ?? undefined)));
      if (wrong !== undefined) return refuse("wrong-format", `${wrong}: expected a number, got ${shown(value[wrong])}`);
      const factor = context.settings.scale ?? 1;
      const values = Float32Array.from(numbers, (name) => {
        const x = value[name];
        return typeof x === "number" ? x * factor : Number.NaN;
      });
      return blockOf({ ...chunk, t0Ns, channels: numbers, values }, { context, runningTime });
    },
  };
};

/** A time as ns since 1970: of a count the unit is told by its size, which is unambiguous from 1973 to 5138. */
const timeOf = (value: unknown, key: string, text: string): bigint | undefined => {
  if (typeof value === "string" && !/^\d+$/.test(value)) {
    const ms = Date.parse(value);
    return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n;
  }
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const count = Number(value);
  if (!(count >= 0 && count < 2 ** 63)) return undefined;
  // A double rounds nanoseconds of today to 256; the digits as they were written do not.
  const digits =
    typeof value === "string" ? value : new RegExp(`"${key}"\\s*:\\s*(\\d{18,19})(?![\\d.eE])`).exec(text)?.[1];
  if (key === "t0_ns" || count >= 1e17) return BigInt(digits ?? Math.round(count));
  if (count >= 1e14) return BigInt(Math.round(count)) * 1000n;
  if (count >= 1e11) return BigInt(Math.round(count * 1e3)) * 1000n;
  return BigInt(Math.round(count * 1e6)) * 1000n;
};

const shown = (value: unknown): string => (JSON.stringify(value) ?? "nothing").slice(0, 40);
