import { expect, it } from "vitest";
import type { Task } from "../../../agent/evaluation/figures.ts";
import { measureLifetime } from "../../../agent/evaluation/lifetime.ts";
import { toneModel } from "../../support/tiny-models.ts";

/** How much surer the tone model is of its label, for a tone of 1 kHz, than chance. */
const surety: Task = {
  samples: 1,
  data: "one spectrum",
  score: (network) => {
    const spectrum = new Float32Array(32);
    spectrum[5] = 1; // 1 kHz of 6 kHz in 32 bands
    const probabilities = new Float32Array(2);
    network.infer(spectrum, probabilities);
    return { numbers: { surety: probabilities[0]! - 0.5 } };
  },
};

it("Wires of resistance take from the answers of evaluated chips, and the result says how much they had", () => {
  const { graph, manifest } = toneModel();
  const options = { device: "ideal", agesSeconds: [{ name: "0s", seconds: 0 }], seeds: 1 };
  const measure = (wireOhm: number) =>
    measureLifetime(graph, manifest, surety, { ...options, compensations: ["none"], wireOhm });
  const [free, wired] = [measure(0), measure(10_000)];
  expect([free.wireOhm, wired.wireOhm]).toEqual([undefined, 10_000]);
  expect(free.analog[0]!.mean).toBeGreaterThan(0.3); // e² of odds
  expect(wired.analog[0]!.mean).toBeLessThan(0.8 * free.analog[0]!.mean);
  expect(wired.analog[0]!.mean).toBeGreaterThan(0);
});
