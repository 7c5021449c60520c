// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exampleConfig } from "../../agent/config/example.ts";
import { parseConfig } from "../../agent/config/load.ts";
import { ConfigError } from "../../agent/config/mistakes.ts";
import { busyMs, bytesInUse } from "./memory.ts";
import { mutated } from "./mutate.ts";

/**
 * Configurations that someone spoilt, with environment and flags that someone did: a configuration or mistakes with
 * place, expected and got; nothing else. `OHMWATCH_FUZZ_RUNS=1000000 npx vitest run test/fuzz` is the full size.
 */

const runs = Number(process.env["OHMWATCH_FUZZ_RUNS"] ?? 3000);
const known = { codecs: ["protobuf", "json"], devices: ["digital", "pcm-nandakumar-2019"] };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const seeds = [
  "streams: [{ name: a, pipeline: ecg, model: m }]\n",
  "mqtt:\n  url: mqtt://x:1\n  qos: 1\nstreams:\n  - name: a\n    pipeline: audio\n    model: m\n    decisions:\n      - { label: V, enter: 0.5 }\n",
  "a: &a { b: ${X:-1} }\nchip: { seed: ${SEED}, device: '${file:/x}' }\nstreams: [*a]\n",
  exampleConfig().slice(-1500),
  "# nothing\n---\n...\n",
].map((text) => encoder.encode(text));
const words = [
  "&a ",
  "*a",
  "<<: ",
  "!!binary ",
  "!!js/function ",
  "${",
  "${X}",
  "${file:/x}",
  "${A:-b}",
  "__proto__: ",
  "constructor: ",
  "streams: ",
  "- ",
  "{",
  "}",
  "[",
  "]",
  "? ",
  "|\n ",
  "\t",
  "null",
  ".inf",
  "1e400",
  "0x7fffffffffffffff",
  "2001-01-01",
  "\u2028",
];

/** Variables and flags as wrong as texts. */
const overrides = fc.record({
  variables: fc.array(
    fc.tuple(
      fc.constantFrom(
        "MQTT__URL",
        "STREAMS__0__NAME",
        "STREAMS__7",
        "CHIP",
        "LOG__LEVEL",
        "X__Y",
        "STREAMS__999999999",
      ),
      fc.constantFrom("1", "", "{", "[1, 2]", "null", "${X}", "debug", "&a *a"),
    ),
    { maxLength: 2 },
  ),
  flags: fc.array(
    fc.constantFrom(
      "chip.seed=3",
      "streams.0=1",
      "streams=[]",
      "=",
      "a",
      "mqtt.tls.caFile=",
      "streams.0.queue={}",
      "__proto__.x=1",
    ),
    { maxLength: 2 },
  ),
});

const sentence = /^\S.* .+: expected .+, got .+/s;

describe(`The configuration, ${runs} times spoilt`, () => {
  it("is a configuration or a list of mistakes, quickly, and keeps nothing", () => {
    let done = 0;
    let held = 0;
    let slowest = 0;
    const memory: number[] = [];
    fc.assert(
      fc.property(mutated(seeds, words), overrides, (bytes, { variables, flags }) => {
        if (done % Math.ceil(runs / 4) === 0) memory.push(bytesInUse());
        const text = decoder.decode(bytes);
        const environment = Object.fromEntries(variables.map(([name, value]) => [`OHMWATCH__${name}`, value]));
        const startedAtMs = busyMs();
        try {
          const { streams } = parseConfig(text, "f", known, {
            environment: { ...environment, SEED: "1" },
            readFile: () => text.slice(0, 9),
            flags,
          });
          if (streams.length === 0) throw new Error("expected a stream, got none");
          held++;
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          if (error.mistakes.length === 0 || !sentence.test(error.message)) {
            throw new Error(`expected sentences, got ${JSON.stringify(error.message)}`);
          }
        }
        slowest = Math.max(slowest, busyMs() - startedAtMs);
        done++;
      }),
      { numRuns: runs, seed: 20_261_125, endOnFailure: true },
    );
    memory.push(bytesInUse());
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined(); // no prototype was touched
    expect(held).toBeGreaterThan(0);
    expect(slowest).toBeLessThan(2000);
    expect(memory.at(-1)! - memory[2]!).toBeLessThan(3_000_000);
    if (runs >= 100_000) {
      const growth = ((memory.at(-1)! - memory[2]!) / 1e6).toFixed(2);
      process.stderr.write(
        `configuration: ${done} texts, ${held} held, slowest ${slowest.toFixed(1)} ms, growth ${growth} MB\n`,
      );
    }
  }, 7_200_000);
});
