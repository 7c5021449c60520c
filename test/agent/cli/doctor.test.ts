import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkClock, checkDatabase } from "../../../agent/cli/doctor-checks.ts";
import { configSchema } from "../../../agent/config/schema.ts";
import { closeDatabase, openDatabase } from "../../../agent/store/database.ts";
import { freePort, mosquitto, startMosquitto } from "../../support/mosquitto.ts";
import { runCli } from "../../support/run-cli.ts";
import { onnxOf, toneModel } from "../../support/tiny-models.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-doctor-"));
  writeFileSync(at("tones.onnx"), onnxOf(toneModel()));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The doctor's word on a configuration: exit code and the sentences of the checks that fail. */
const examine = async (settings: string, model = at("tones.onnx")) => {
  const file = at("doctor.yaml");
  writeFileSync(file, `${settings}\nstreams: [{ name: bearing, pipeline: vibration, model: ${model} }]\n`);
  const { code, stdout } = await runCli("doctor", "--config", file, "--json");
  const { findings } = JSON.parse(stdout) as { findings: { check: string; ok: boolean; detail: string }[] };
  return { code, failed: findings.filter(({ ok }) => !ok).map(({ check, detail }) => `${check}: ${detail}`) };
};
const state = (name: string) => `state: { directory: ${at(name)} }`;

describe("The doctor", () => {
  it("finds nothing wrong with what is right, and makes nothing", async () => {
    expect(await examine(state("fresh"))).toEqual({ code: 0, failed: [] });
    expect(existsSync(at("fresh"))).toBe(false);
  });

  it("exits with 74 and how to save what is left where the database is damaged", async () => {
    mkdirSync(at("damaged"));
    writeFileSync(at("damaged/ohmwatch.sqlite"), "no database at all, but long enough to be one".repeat(100));
    const { code, failed } = await examine(state("damaged"));
    expect(code).toBe(74);
    expect(failed).toEqual([
      expect.stringMatching(/^database: .*got a file that is none.*\.recover.*move the file aside/),
    ]);
  });

  it("finds a page that was overwritten inside a database that opens", () => {
    const config = configSchema.parse({
      state: { directory: at("page") },
      streams: [{ name: "a", pipeline: "ecg", model: "m" }],
    });
    const file = at("page/ohmwatch.sqlite");
    const database = openDatabase(file);
    closeDatabase(database);
    expect(checkDatabase(config)).toMatch(/ohmwatch\.sqlite, 0\.\d MB, 0 anomalies, SQLite 3\./);
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 4096 * 2, 4096 * 3);
    writeFileSync(file, bytes);
    expect(() => checkDatabase(config)).toThrow(/expected an unharmed database, got .*; stop the agent, save what/s);
  });

  it("exits with 69 where the broker is away, with 66 where a model is, and tells both", async () => {
    const port = await freePort();
    const { code, failed } = await examine(
      `${state("fresh")}\nmqtt: { url: "mqtt://user:hush@127.0.0.1:${port}" }`,
      "none",
    );
    expect(code).toBe(69); // the first of them
    expect(failed).toEqual([
      `broker: expected a broker at mqtt://127.0.0.1:${port}, got ECONNREFUSED`,
      expect.stringMatching(/^models: model: expected an \.onnx file or one of .* got none$/),
    ]);
  });

  it.skipIf(mosquitto === undefined)(
    "exits with 77 where the broker refuses us, and is content with the right password (skipped without mosquitto)",
    async () => {
      const port = await freePort();
      const passwords = at("passwords");
      spawnSync("mosquitto_passwd", ["-b", "-c", passwords, "gateway", "correct horse"]);
      const broker = await startMosquitto(port, ["allow_anonymous false", `password_file ${passwords}`]);
      writeFileSync(at("right"), "correct horse\n");
      writeFileSync(at("wrong"), "battery staple\n");
      const withPassword = (name: string, version: string) =>
        `${state("fresh")}\nmqtt: { url: "mqtt://127.0.0.1:${port}", username: gateway, passwordFile: ${at(name)}, version: "${version}" }`;
      for (const version of ["3.1.1", "5"]) {
        const refused = await examine(withPassword("wrong", version));
        expect(refused.code).toBe(77);
        expect(refused.failed).toEqual([expect.stringMatching(/^broker: .* got a refusal \(.*(N|n)ot authorized/)]);
      }
      expect(await examine(withPassword("right", "5"))).toEqual({ code: 0, failed: [] });
      await broker.kill();
    },
  );

  it("exits with 78 where what is served is open to others, or a secret cannot be read", async () => {
    const open = await examine(`${state("fresh")}\nhttp: { listen: "0.0.0.0:9475" }`);
    expect(open).toEqual({ code: 78, failed: [expect.stringMatching(/^http: .*expected a loopback address/)] });
    const missing = await examine(`${state("fresh")}\nhttp: { listen: "0.0.0.0:9475", tokenFile: ${at("nowhere")} }`);
    expect(missing).toEqual({ code: 78, failed: [expect.stringMatching(/^http: http\.tokenFile: .*ENOENT/)] });
  });

  it("distrusts a clock that was never set, or is behind what was written", () => {
    expect(() => checkClock(new Date("1970-01-01T00:02:00Z"), [])).toThrow(/expected a clock that was set/);
    writeFileSync(at("written"), "");
    utimesSync(at("written"), new Date("2031-01-01"), new Date("2031-01-01"));
    expect(() => checkClock(new Date("2030-06-01"), [at("written")])).toThrow(
      /expected a clock after 2031-01-01T00:00:00.000Z, when .*written was written, got 2030-06-01/,
    );
    expect(checkClock(new Date("2031-06-01"), [at("written"), at("not-there")])).toBe("2031-06-01T00:00:00.000Z");
  });
});
