import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../../agent/config/load.ts";
import { ConfigError } from "../../../agent/config/mistakes.ts";

const known = { codecs: ["protobuf", "json"], devices: ["digital", "pcm-nandakumar-2019"] };
let folder: string;
const at = (name: string) => join(folder, name);
const load = (environment: Record<string, string> = {}, flags: readonly string[] = []) =>
  loadConfig(at("hall.yaml"), known, { environment, readFile: () => "", flags });
const mistakes = (...args: Parameters<typeof load>): readonly string[] => {
  try {
    load(...args);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(folder, "").split("\n");
    throw error;
  }
  return [];
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-layers-"));
  mkdirSync(at("conf.d"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const main = `mqtt: { base: works, clientId: hall, qos: 0 }
chip: { seed: 1, ageSeconds: 10 }
streams:
  - { name: a, pipeline: ecg, model: m, queue: { maxMessages: 7 } }
  - { name: b, pipeline: audio, model: m }
`;

describe("Where a setting is said more than once", () => {
  it("flags win over the environment, that over conf.d by name, that over the file, that over the default", () => {
    writeFileSync(at("hall.yaml"), main);
    writeFileSync(at("conf.d/20-late.yml"), "chip: { seed: 3 }\nmqtt: { clientId: late }\n");
    writeFileSync(at("conf.d/10-early.yaml"), "chip: { seed: 2, ageSeconds: 20 }\nmqtt: { clientId: early }\n");
    writeFileSync(at("conf.d/.hidden.yaml"), "chip: { seed: 99 }\n");
    writeFileSync(at("conf.d/note.txt"), "no configuration");
    expect(load()).toMatchObject({
      mqtt: { base: "works", clientId: "late", qos: 0, sessionExpirySeconds: 86_400 },
      chip: { seed: 3, ageSeconds: 20, device: "pcm-nandakumar-2019" },
    });
    const environment = { OHMWATCH__CHIP__SEED: "4", OHMWATCH__MQTT__CLIENT_ID: "env" };
    const { chip, mqtt } = load(environment, ["chip.seed=5"]);
    expect([chip.seed, mqtt.clientId]).toEqual([5, "env"]);
  });

  it("a stream of conf.d is a further one, or changes the one of its name and leaves the rest of it", () => {
    writeFileSync(at("hall.yaml"), main);
    writeFileSync(
      at("conf.d/10.yaml"),
      "streams:\n  - { name: b, codec: json }\n  - { name: a, queue: { policy: drop-oldest } }\n  - { name: c, pipeline: ecg, model: n }\n",
    );
    expect(load().streams).toMatchObject([
      { name: "a", model: "m", queue: { maxMessages: 7, policy: "drop-oldest" } },
      { name: "b", pipeline: "audio", codec: "json" },
      { name: "c", model: "n" },
    ]);
  });

  it("a mistake is told where it was made", () => {
    writeFileSync(at("hall.yaml"), `${main}  - { name: b, pipeline: audio, model: m }\n`);
    writeFileSync(at("conf.d/10.yaml"), "chip:\n  seed: -1\nstreams:\n  - name: b\n    codce: json\n  - name: d\n");
    const lines = mistakes({}, ["chip.ageSeconds=never", "chip.gase=1", "log.level"]);
    expect(lines).toEqual([
      expect.stringMatching(/^--set chip\.ageSeconds chip\.ageSeconds: expected a number 0 … .* got "never"/),
      expect.stringMatching(/^--set chip\.gase .*expected one of device, seed, /),
      expect.stringMatching(/^--set log\.level log\.level: expected a setting as key=value, got no value/),
      expect.stringMatching(/^\/conf\.d\/10\.yaml:2 chip\.seed: expected an integer .* got -1/),
      expect.stringMatching(/^\/conf\.d\/10\.yaml:5 streams\.1\.codce: .*did you mean codec\?/),
      expect.stringMatching(/^\/conf\.d\/10\.yaml:6 streams\.3\.pipeline: .* got nothing/),
      expect.stringMatching(/^\/conf\.d\/10\.yaml:6 streams\.3\.model: .* got nothing/),
      expect.stringMatching(
        /^\/hall\.yaml:6 streams\.2\.name: expected a name of its own .* which streams\.1 has already/,
      ),
    ]);
  });

  it("text that is no configuration at all is told, whatever the environment says", () => {
    for (const text of ["hello", "- 1\n- 2", "7", "null", "", "a: &a [1]\nb: *none"]) {
      writeFileSync(at("hall.yaml"), text);
      expect(mistakes({ OHMWATCH__MQTT__URL: "mqtt://x" }).length, text).toBeGreaterThan(0);
    }
  });

  it("aliases that multiply are refused before they fill the memory", () => {
    const lines = Array.from({ length: 30 }, (_, i) => `x${i + 1}: &x${i + 1} [${`*x${i}, `.repeat(9)}*x${i}]`);
    writeFileSync(at("hall.yaml"), `x0: &x0 [1]\n${lines.join("\n")}\n`);
    expect(mistakes()[0]).toMatch(/expected YAML, got ReferenceError: Excessive alias count/);
  });
});
