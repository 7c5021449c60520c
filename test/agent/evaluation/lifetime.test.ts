import { expect, it } from "vitest";
import type { ChipHardware } from "../../../agent/chip-hardware.ts";
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

it("Chips that are not plain are made as asked, and the result says how they were", () => {
  const { graph, manifest } = toneModel();
  const options = { device: "pcm-nandakumar-2019", agesSeconds: [{ name: "1d", seconds: 86_400 }], seeds: 12 };
  const measure = (chips: ChipHardware) =>
    measureLifetime(graph, manifest, surety, { ...options, compensations: ["global"], ...chips });
  const plain = measure({});
  const six = measure({ hardware: { pairs: 6 } });
  expect(plain.chips).toBeUndefined();
  expect(six.chips).toEqual({ hardware: { pairs: 6 } });
  // A sixth of the variance; of twelve chips a spread is known to a fifth.
  expect(six.analog[0]!.std).toBeLessThan(0.75 * plain.analog[0]!.std);
  const broken = measure({ faults: { openWordLines: 1 } });
  expect(broken.analog[0]!.mean).toBeCloseTo(0, 6);
  const [cool, warm] = [25, 85].map((celsius) =>
    measureLifetime(graph, manifest, surety, { ...options, compensations: ["none"], celsius }),
  );
  expect(cool!.analog).toEqual(
    measureLifetime(graph, manifest, surety, { ...options, compensations: ["none"] }).analog,
  );
  expect(warm!.analog[0]!.mean).toBeLessThan(cool!.analog[0]!.mean); // it drifts faster than it gains
});
