import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../support/mosquitto.ts";
import { runCli, startCli } from "../../support/run-cli.ts";
import { keyPair, tones } from "../bundles/signed.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ohmwatch-bundle-"));
  const { privateKey, publicKey } = keyPair();
  writeFileSync(at("key.pem"), privateKey);
  writeFileSync(at("pub.pem"), publicKey);
  writeFileSync(at("other.pem"), keyPair().publicKey);
  writeFileSync(at("one.onnx"), tones());
  writeFileSync(at("two.onnx"), tones({ version: "2" }));
  const trusted = `bundles: { trustedKeys: [${at("pub.pem")}] }`;
  writeFileSync(
    at("hall.yaml"),
    `mqtt: { embeddedPort: ${await freePort()} }\nstate: { directory: ${at("state")} }\n${trusted}\nchip: { device: digital }\nstreams: [{ name: s, pipeline: vibration, model: ${at("one.onnx")} }]\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("A bundle on the command line", () => {
  it("is made, signed and verified; a stranger's is refused with 77, a damaged one with 65", async () => {
    const bundle = at("two.bundle");
    expect(await runCli("bundle", "make", at("two.onnx"), "--out", bundle)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/tones 2, SHA-256 [0-9a-f]{64}, unsigned/),
    });
    expect(await runCli("bundle", "verify", bundle, "--trust", at("pub.pem"))).toMatchObject({ code: 77 });
    await runCli("bundle", "sign", bundle, "--key", at("key.pem"));
    const trust = ["--trust", at("other.pem"), at("pub.pem")];
    expect(await runCli("bundle", "verify", bundle, ...trust)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/tones 2, .*; [0-9a-f]{16} is trusted, 1 test vectors hold/),
    });
    expect(await runCli("bundle", "verify", bundle, "--trust", at("other.pem"))).toMatchObject({ code: 77 });
    const damaged = readFileSync(bundle);
    damaged[damaged.length - 9]! ^= 1;
    writeFileSync(at("damaged.bundle"), damaged);
    expect(await runCli("bundle", "verify", at("damaged.bundle"), ...trust)).toMatchObject({ code: 65 });
  });

  it("is installed for the next start where no agent runs, and by the agent where one does", async () => {
    const bundle = at("two.bundle");
    await runCli("bundle", "make", at("two.onnx"), "--key", at("key.pem"), "--out", bundle);
    const install = () => runCli("bundle", "install", bundle, "--config", at("hall.yaml"));
    expect(await install()).toMatchObject({ code: 0, stderr: expect.stringMatching(/next start; no agent runs/) });
    expect(readFileSync(at("state/models/tones/current"), "utf8")).toMatch(/^2-[0-9a-f]{8}\.onnx\n$/);
    const agent = startCli(["run", "--config", at("hall.yaml"), "--set", "streams.0.model=tones"]);
    await agent.stderrMatch(/Ready/);
    expect(await install()).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/runs along in s; `model\/status` says how far it is/),
    });
    await agent.stderrMatch(/tones 2, signed by [0-9a-f]{16}, runs along in s for 100 frames/);
    agent.child.kill("SIGTERM");
    expect((await agent.result).code).toBe(0);
    // One that is installed stays; what did not come through is gone.
    expect(readFileSync(at("state/models/tones/current"), "utf8")).toMatch(/^2-/);
  });
});
