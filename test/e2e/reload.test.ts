import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codecByName } from "../../agent/codecs/codec.ts";
import { connectPublisher } from "../../agent/mqtt/publisher-client.ts";
import { runCli, startCli } from "../support/run-cli.ts";
import { onnxOf, toneModel } from "../support/tiny-models.ts";

/** The agent as a process whose configuration is edited under it, as an administrator does. */

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-reload-"));
  writeFileSync(at("tones.onnx"), onnxOf(toneModel()));
});
afterAll(() => rmSync(folder, { recursive: true }));

const configText = (streams: readonly string[], others = "") => `mqtt: { embeddedPort: 0 }
state: { directory: ${at("state")} }
http: { listen: "127.0.0.1:0" }
${others}
streams:
${streams.map((line) => `  - { pipeline: vibration, model: ${at("tones.onnx")}, ${line} }\n`).join("")}`;

/** Put a file in place at once, as editors and configuration management do. */
const replaceFile = (file: string, text: string): void => {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
};

const startAtNs = 1_700_000_000_000_000_000n;
const payload = (i: number) =>
  codecByName("protobuf").encode!({
    stream: "a",
    startAtNs: startAtNs + BigInt(i) * 100_000_000n,
    sampleRateHz: 12_000,
    channels: ["acceleration"],
    samples: Float32Array.from({ length: 1200 }, (_, k) => Math.sin((2 * Math.PI * 1000 * (k + i * 1200)) / 12_000)),
  });

describe("A configuration that changes under a running agent", () => {
  it("is taken, or refused with its mistakes, and no frame of an unchanged stream is lost meanwhile", async () => {
    const file = at("hall.yaml");
    writeFileSync(file, configText(["name: a"]));
    const agent = startCli(["run", "--config", file]);
    const [, brokerUrl] = await agent.stderrMatch(/Connected to (mqtt:\/\/[\d.]+:\d+)/);
    const [, url] = await agent.stderrMatch(/are served at (http:\/\/[\d.]+:\d+)/);
    const sensor = await connectPublisher(brokerUrl!, "sensor", 1);
    let sent = 0;
    const send = async (messages: number) => {
      for (let i = 0; i < messages; i++) await sensor.publish("ohmwatch/in/a", payload(sent++));
    };
    const metric = async (name: string, component: string): Promise<number> => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(new RegExp(`^${name}\\{component="${component}"\\} (\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN);
    };

    await send(15);
    // Written by hand, with a mistake: refused, with line and suggestion.
    replaceFile(file, configText(["name: a", "name: b"], "mqtt2: {}\nlog: { levle: info }"));
    await agent.stderrMatch(
      /a file changed\) and does not hold; the one before stays.*log\.levle.*did you mean level\?/,
    );
    await send(15);
    // No YAML at all, and told by SIGHUP.
    replaceFile(file, "streams: [");
    await agent.stderrMatch(/expected YAML/);
    agent.child.kill("SIGHUP");
    await agent.stderrMatch(/SIGHUP\) and does not hold/);
    await send(15);
    // A model that is not there: refused as a whole.
    replaceFile(file, configText(["name: a", "name: b, codec: json", "name: c, decisions: [{ label: no }]"]));
    await agent.stderrMatch(/streams\.c: decisions\.0\.label: expected a label of tones/);
    expect(await metric("ohmwatch_stream_up", "b")).toBeNaN();
    await send(15);
    // One that holds, from the main file.
    replaceFile(file, configText(["name: a", "name: b, codec: json"]));
    await agent.stderrMatch(/ConfigReloaded.*b added; 1 stream as before\./);
    expect(await metric("ohmwatch_stream_up", "b")).toBe(1);
    await send(15);
    // And from conf.d beside it, which comes into being now.
    mkdirSync(at("conf.d"));
    replaceFile(at("conf.d/10-c.yaml"), "streams: [{ name: b, codec: cbor }]\nmqtt: { base: elsewhere }\n");
    agent.child.kill("SIGHUP");
    await agent.stderrMatch(/b changed; 1 stream as before; mqtt\.base only after a restart/);
    await send(15);
    await expect.poll(() => metric("ohmwatch_component_received_events_total", "a")).toBe(90);
    // As many windows as 9 s without a break have: none was cut by a reload.
    expect(await metric("ohmwatch_frames_total", "a")).toBe(Math.floor((108_000 - 4096) / 3000) + 1);
    // And it is well, says a command that knows no more than its configuration.
    mkdirSync(at("elsewhere"));
    const asked = at("elsewhere/asked.yaml");
    writeFileSync(asked, configText(["name: a"]).replace('"127.0.0.1:0"', JSON.stringify(url!.slice(7))));
    expect(await runCli("healthcheck", "--config", asked)).toEqual({ code: 0, stdout: "ok\n", stderr: "" });
    await sensor.close();
    agent.child.kill("SIGTERM");
    expect((await agent.result).code).toBe(0);
    expect(await runCli("healthcheck", "--config", asked, "--ready")).toMatchObject({
      code: 69,
      stderr: expect.stringMatching(/\/readyz: expected an answer in 5 s, got ECONNREFUSED/),
    });
  });
});
