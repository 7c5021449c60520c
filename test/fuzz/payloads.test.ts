import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codecByName, codecNames, type DecodeContext } from "../../agent/codecs/codec.ts";
import { busyMs, bytesInUse } from "./memory.ts";
import { mutated } from "./mutate.ts";

/**
 * Payloads that someone spoilt: every codec must give blocks that hold or an error with a sentence, never throw, never
 * hang, and keep nothing. `OHMWATCH_FUZZ_RUNS=1000000 npx vitest run test/fuzz` is the full size.
 */

const runs = Number(process.env["OHMWATCH_FUZZ_RUNS"] ?? 3000);
/** Processor time of one payload; far above what any took, so that only a hang is longer. */
const slowestMs = 2000;
/** Between the second and the last quarter: what a codec rightly keeps (tables, interned names) is there by then. */
const growthBytes = 3_000_000;

const encoder = new TextEncoder();
const block = {
  stream: "s",
  startAtNs: 1_700_000_000_000_000_000n,
  sampleRateHz: 8000,
  channels: ["a", "b"],
  samples: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i / 5)),
};
interface Fixture {
  readonly file: string;
  readonly codec: string;
}
const fixtures = JSON.parse(
  readFileSync(new URL("../../fixtures/payloads/payloads.json", import.meta.url), "utf8"),
) as readonly Fixture[];
const fixtureBytes = ({ file }: Fixture): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../fixtures/payloads/${file}`, import.meta.url)));

/** Payloads that codecs without an encoder take. */
const written: Readonly<Record<string, readonly string[]>> = {
  readings: ["21.5", '{"temperature": 21.5, "pressure": 1013}', '{"a": 1, "time": "2026-11-23T10:00:00Z"}'],
  fhir: [
    '{"origin": {"value": 0}, "interval": 2, "intervalUnit": "ms", "factor": 0.001, "dimensions": 2, "data": "1 2 E 4 U 6 7 L"}',
    '{"resourceType": "Observation", "effectiveDateTime": "2026-11-23T10:00:00Z", "valueSampledData": {"origin": {"value": 1}, "period": 4, "dimensions": 1, "data": "1 -2 3"}}',
  ],
};

const seedsOf = (name: string): readonly Uint8Array[] => {
  const codec = codecByName(name);
  const encoded =
    codec.encode === undefined
      ? []
      : [codec.encode(block), codec.encode(block, { format: "s16le", seq: 7, session: "x", scale: 0.001 })];
  const seeds = [
    ...encoded,
    ...fixtures.filter(({ codec: of }) => of === name).map(fixtureBytes),
    ...(written[name] ?? []).map((text) => encoder.encode(text)),
  ];
  return seeds.map((seed) => seed.slice(0, 4096));
};

const words = [
  "null",
  "1e999",
  "-0",
  '"',
  "{",
  "[[[[[[[[",
  "]",
  ",",
  '"t0_ns":',
  '"data":',
  '"__proto__":{"x":1},',
  "\ud800",
  "99999999999999999999",
];
const settings: readonly DecodeContext["settings"][] = [
  {},
  { rateHz: 8000, format: "s16le", channels: ["a", "b"], scale: 0.5 },
  { rateHz: 0.001, format: "f32le" },
];

const check = (name: string, result: ReturnType<ReturnType<typeof codecByName>["decode"]>): void => {
  if (!result.ok) {
    if (
      !/^[a-z-]+$/.test(result.error.reason) ||
      result.error.detail.length === 0 ||
      result.error.detail.length > 400
    ) {
      throw new Error(`${name}: expected a reason and a short sentence, got ${JSON.stringify(result.error)}`);
    }
    return;
  }
  for (const { samples, channels, sampleRateHz, startAtNs } of result.blocks) {
    const whole = channels.length > 0 && samples.length % channels.length === 0;
    const known = Number.isFinite(sampleRateHz) && sampleRateHz > 0 && typeof startAtNs === "bigint";
    if (!whole || !known) throw new Error(`${name}: expected a block that holds, got ${channels.length} channels`);
  }
};

describe(`Each codec, on ${runs} payloads that were spoilt`, () => {
  it.each(codecNames)(
    "%s throws nothing, hangs nowhere and keeps nothing",
    (name) => {
      let codec = codecByName(name);
      let done = 0;
      let slowest = 0;
      const memory: number[] = [];
      const seeds = seedsOf(name);
      expect(seeds.length).toBeGreaterThan(0);
      fc.assert(
        fc.property(mutated(seeds, words), (payload) => {
          // A codec lives as long as its stream; a new one now and then.
          if (done % 1000 === 0) codec = codecByName(name);
          if (done % Math.ceil(runs / 4) === 0) memory.push(bytesInUse());
          const context = {
            stream: "s",
            receivedAtNs: 1_700_000_000_000_000_000n + BigInt(done),
            topic: "spBv1.0/group/DDATA/node/device",
            settings: settings[done % settings.length]!,
          };
          const startedAtMs = busyMs();
          check(name, codec.decode(payload, context));
          slowest = Math.max(slowest, busyMs() - startedAtMs);
          done++;
        }),
        { numRuns: runs, seed: 20_261_125, endOnFailure: true },
      );
      memory.push(bytesInUse());
      expect(slowest).toBeLessThan(slowestMs);
      expect(memory.at(-1)! - memory[2]!).toBeLessThan(growthBytes);
      if (runs >= 100_000) {
        const growth = ((memory.at(-1)! - memory[2]!) / 1e6).toFixed(2);
        process.stderr.write(`${name}: ${done} payloads, slowest ${slowest.toFixed(1)} ms, growth ${growth} MB\n`);
      }
    },
    3_600_000,
  );
});
