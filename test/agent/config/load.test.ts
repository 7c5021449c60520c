// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test
import { describe, expect, it } from "vitest";
import { exampleConfig } from "../../../agent/config/example.ts";
import { parseConfig } from "../../../agent/config/load.ts";
import { ConfigError, editDistance, nearest } from "../../../agent/config/mistakes.ts";
import type { VariableSource } from "../../../agent/config/variables.ts";

const known = { codecs: ["protobuf", "json", "pcm"], devices: ["digital", "ideal", "pcm-nandakumar-2019"] };
const source = (environment: VariableSource["environment"] = {}): VariableSource => ({
  environment,
  readFile: (path) => {
    if (path === "/run/secret") return "hush\nsecond line";
    throw new Error("ENOENT");
  },
});
const parse = (text: string, environment?: VariableSource["environment"]) =>
  parseConfig(text, "hall.yaml", known, source(environment));
const mistakesOf = (text: string, environment?: VariableSource["environment"]): readonly string[] => {
  try {
    parse(text, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).exitCode).toBe(78);
    return (error as ConfigError).message.split("\n");
  }
  return [];
};

const minimal = "streams:\n  - { name: bed-7, pipeline: ecg, model: ecg-beats }\n";

describe("A configuration", () => {
  it("needs a stream with name, pipeline and model, and no more", () => {
    const config = parse(minimal);
    expect(config.streams[0]).toMatchObject({ name: "bed-7", codec: "protobuf", queue: { policy: "block" } });
    expect(config.mqtt).toMatchObject({ embeddedPort: 1883, base: "ohmwatch", qos: 1 });
  });

  it("takes an empty section as one that is not there", () => {
    expect(parse(`mqtt:\nchip:\n${minimal}`)).toEqual(parse(minimal));
  });

  it("reports five mistakes as five lines, in the order of the file, each with line, key, expected and got", () => {
    const text = `mqtt:
  ulr: mqtt://broker
  qos: 7
chip:
  device: pcm-nandakumar-2018
streams:
  - name: bed-7
    pipeline: ekg
    queue: { maxMessages: many }
    model: ecg-beats
`;
    const lines = mistakesOf(text);
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(
      /^hall\.yaml:2 mqtt\.ulr: expected one of url, .* got the unknown key ulr, did you mean url\?$/,
    );
    expect(lines[1]).toBe("hall.yaml:3 mqtt.qos: expected one of 0, 1, got 7, e.g. 1");
    expect(lines[2]).toMatch(/^hall\.yaml:5 chip\.device: .* did you mean pcm-nandakumar-2019\?/);
    expect(lines[3]).toMatch(/^hall\.yaml:8 streams\.0\.pipeline: expected one of "audio", "ecg", .* got "ekg"/);
    expect(lines[4]).toBe(
      'hall.yaml:9 streams.0.queue.maxMessages: expected an integer 1 … 100000 messages, got "many", e.g. 256',
    );
  });

  it("says where a required key is missing", () => {
    const [line, ...others] = mistakesOf("streams:\n  - name: bed-7\n    pipeline: ecg\n");
    expect(line).toBe('hall.yaml:2 streams.0.model: expected a text, got nothing, e.g. "ecg-beats"');
    expect(others).toEqual([]);
  });

  it("refuses two streams of one name and a codec that there is none of", () => {
    const lines = mistakesOf(`${minimal}  - { name: bed-7, pipeline: ecg, model: m, codec: jsn }\n`);
    expect(lines[0]).toMatch(/streams\.1\.codec: expected one of protobuf, json, pcm, got "jsn", did you mean json\?/);
    expect(lines[1]).toMatch(/streams\.1\.name: .* which streams\.0 has already$/);
  });

  it("refuses a temperature from a stream that there is none of, from two places, and from a topic that a stream takes", () => {
    const from = (temperature: string) => mistakesOf(`chip:\n  temperature: ${temperature}\n${minimal}`);
    expect(from("{ stream: bed-7, channel: celsius }")).toEqual([]);
    expect(from("{ topic: zigbee2mqtt/cabinet }")).toEqual([]);
    expect(from("{ stream: bed-8 }")[0]).toMatch(
      /:2 chip\.temperature\.stream: expected one of bed-7, got "bed-8", did you mean bed-7\?/,
    );
    expect(from("{ stream: bed-7, topic: hall }")[0]).toMatch(
      /:2 chip\.temperature: expected either stream or topic, got /,
    );
    expect(from("{ channel: celsius }")[0]).toMatch(/:2 chip\.temperature: expected either stream or topic, got /);
    expect(from("{ topic: hall/+/cabinet }")[0]).toMatch(/:2 chip\.temperature\.topic: expected a text like /);
    expect(from("{ topic: ohmwatch/in/bed-7 }")).toEqual([
      'hall.yaml:2 chip.temperature.topic: expected a topic that no stream takes, or chip.temperature.stream: bed-7, got "ohmwatch/in/bed-7"',
    ]);
    expect(from("{ topic: hall, codec: jsn }")[0]).toMatch(/codec: expected one of .* did you mean json\?/);
  });

  it("reports text that is no YAML with its line", () => {
    expect(mistakesOf("mqtt: {\nstreams: [")[0]).toMatch(/^hall\.yaml:\d+ \(root\): expected YAML, got /);
  });

  it("fills variables with their type, defaults and files", () => {
    const text = `mqtt:
  embeddedPort: "\${PORT}"
  username: "\${file:/run/secret}"
  base: \${BASE:-works}
chip:
  seed: \${SEED}
${minimal}`;
    expect(mistakesOf(text, { PORT: "1", SEED: "7" })[0]).toMatch(/embeddedPort: expected an integer .* got "1"/);
    const config = parse(text.replace('"${PORT}"', "${PORT}"), { PORT: "1999", SEED: "7" });
    expect(config.mqtt).toMatchObject({ embeddedPort: 1999, username: "hush", base: "works" });
    expect(config.chip.seed).toBe(7);
  });

  it("reports a variable that is not set and a file that cannot be read, once each", () => {
    const lines = mistakesOf(`mqtt:\n  url: \${BROKER}\n  username: \${file:/nowhere}\n${minimal}`);
    expect(lines).toEqual([
      "hall.yaml:2 mqtt.url: expected the environment variable BROKER to be set, got ${BROKER} and no such variable",
      "hall.yaml:3 mqtt.username: expected a readable file /nowhere, got ${file:/nowhere}, which cannot be read",
    ]);
  });

  it("lets the environment win over the file, and names the variable in mistakes", () => {
    const environment = {
      OHMWATCH__MQTT__URL: "mqtt://other",
      OHMWATCH__CHIP__AGE_SECONDS: "86400",
      OHMWATCH__STREAMS__0__TOPIC: "a/+/b",
    };
    const config = parse(`mqtt: { url: mqtt://one }\n${minimal}`, environment);
    expect([config.mqtt.url, config.chip.ageSeconds, config.streams[0]!.topic]).toEqual([
      "mqtt://other",
      86400,
      "a/+/b",
    ]);
    const lines = mistakesOf(minimal, { OHMWATCH__CHIP__SEED: "-1", OHMWATCH__CHPI__SEED: "1" });
    expect(lines[0]).toMatch(/^OHMWATCH__CHIP__SEED chip\.seed: expected an integer 0 … 4294967295, got -1/);
    expect(lines[1]).toMatch(/^OHMWATCH__CHPI__SEED .*did you mean chip\?$/);
  });

  it("is shown by an example that holds", () => {
    expect(parse(exampleConfig()).streams).toHaveLength(1);
  });
});

describe("The nearest known word", () => {
  it("is the one at the least edit distance, and none when all are far", () => {
    expect(editDistance("url", "ulr")).toBe(1);
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(nearest("refractoryMS", ["refractoryMs", "window"])).toBe("refractoryMs");
    expect(nearest("temperature", ["url", "qos"])).toBeUndefined();
  });
});

describe("What fuzzing found", () => {
  it("a file whose first line is no YAML is taken as the text that it is", () => {
    const text = `mqtt:\n  username: \${file:/odd}\n${minimal}`;
    const odd = { environment: {}, readFile: () => "!!js/function {[" };
    expect(parseConfig(text, "hall.yaml", known, odd).mqtt.username).toBe("!!js/function {[");
  });

  it("a flag without a name is told as one", () => {
    try {
      parseConfig(minimal, "hall.yaml", known, { ...source(), flags: ["=1"] });
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toMatch(/^--set .*\(root\): expected one of mqtt, .* got nothing$/);
    }
  });
});
