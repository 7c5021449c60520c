// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { editorSchema } from "../../../agent/config/editor-schema.ts";
import { exampleConfig } from "../../../agent/config/example.ts";
import { parseConfig } from "../../../agent/config/load.ts";
import { jsonSchema } from "../../../agent/config/schema.ts";

/** The JSON Schema that editors are given, by a validator that is not ours. */

const known = { codecs: ["protobuf", "json"], devices: ["digital", "pcm-nandakumar-2019"] };
const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true, keywords: ["requiresRestart", "unit"] });
const validate = ajv.compile(editorSchema(known));

const ours = (text: string): boolean => {
  try {
    parseConfig(text, "f", known, { environment: {}, readFile: () => "" });
    return true;
  } catch {
    return false;
  }
};

const stream = "{ name: a, pipeline: ecg, model: m }";
const good = [
  exampleConfig(),
  // Every setting of the example, also those that are comments in it.
  exampleConfig()
    .replace(/^( *)# (\w+: .*)$/gm, "$1$2")
    .replaceAll("${STATE_DIRECTORY:-/var/lib/ohmwatch}", "/x"),
  `streams: [${stream}]`,
  `mqtt:\nchip:\nlog: { level: }\nstreams: [${stream}]`,
  `streams: [{ name: a, pipeline: sensor, model: m, settings: { rateHz: 0.5 }, decisions: [{ label: V, enter: 0 }] }]`,
  `streams: [${stream}]\ntests: [{ name: t, stream: a, input: x.wav, expect: [] }]`,
];
const bad = [
  "",
  "hello",
  "[]",
  "streams: []",
  "streams: {}",
  "streams: [{}]",
  "streams: [{ name: a, pipeline: ecg }]",
  "streams: [{ name: a b, pipeline: ecg, model: m }]",
  "streams: [{ name: a, pipeline: eeg, model: m }]",
  "streams: [{ name: a, pipeline: ecg, model: m, codec: morse }]",
  "streams: [{ name: a, pipeline: ecg, model: m, more: 1 }]",
  "streams: [{ name: a, pipeline: ecg, model: m, settings: { rateHz: 0 } }]",
  "streams: [{ name: a, pipeline: ecg, model: m, settings: { scale: 0 } }]",
  "streams: [{ name: a, pipeline: ecg, model: m, settings: { channels: [] } }]",
  "streams: [{ name: a, pipeline: ecg, model: m, queue: { maxMessages: 1.5 } }]",
  "streams: [{ name: a, pipeline: ecg, model: m, queue: { policy: lose } }]",
  "streams: [{ name: a, pipeline: ecg, model: m, decisions: [{}] }]",
  `mqtt: { url: "http://x" }\nstreams: [${stream}]`,
  `mqtt: { qos: 2 }\nstreams: [${stream}]`,
  `mqtt: { qos: "1" }\nstreams: [${stream}]`,
  `mqtt: { base: "a/#" }\nstreams: [${stream}]`,
  `mqtt: []\nstreams: [${stream}]`,
  `chip: { device: pcm }\nstreams: [${stream}]`,
  `chip: { seed: -1 }\nstreams: [${stream}]`,
  `chip: { ageSeconds: old }\nstreams: [${stream}]`,
  `http: { listen: 9475 }\nstreams: [${stream}]`,
  `http: {}\nstreams: [${stream}]`,
  `log: { level: loud }\nstreams: [${stream}]`,
  `mqtt2: {}\nstreams: [${stream}]`,
  `streams: [${stream}]\ntests: [{ name: t, stream: a, input: x.wav }]`,
];

describe("The JSON Schema for editors", () => {
  it.each(good.map((text) => [text.slice(0, 60), text]))("takes what the agent takes: %s", (_, text) => {
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    expect(ours(text)).toBe(true);
  });

  it.each(bad.map((text) => [text]))("refuses what the agent refuses: %s", (text) => {
    expect([validate(parse(text)), ours(text)]).toEqual([false, false]);
  });

  it("takes a variable in place of any value", () => {
    const text = "mqtt:\n  qos: ${QOS}\n  url: ${URL}\nstreams: [{ name: '${N}', pipeline: ecg, model: m }]";
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  });

  it("says of each setting whether a change needs a restart, with a sentence and an example", () => {
    const settings: string[] = [];
    const walk = (schema: ReturnType<typeof jsonSchema>, path: string): void => {
      const below = schema.properties ?? schema.items?.properties;
      if (below !== undefined) {
        for (const [key, child] of Object.entries(below)) walk(child, path === "" ? key : `${path}.${key}`);
        return;
      }
      settings.push(`${path} ${schema.requiresRestart}`);
      expect(schema.description, path).toMatch(/^[A-Z].*\.$/);
      expect(schema.examples, path).toHaveLength(1);
    };
    walk(jsonSchema(), "");
    expect(settings).toEqual(
      expect.arrayContaining(["mqtt.url true", "log.level false", "http.staleSeconds false", "streams.codec false"]),
    );
    expect(settings.filter((line) => !/ (true|false)$/.test(line))).toEqual([]);
  });
});
