import { expect, it } from "vitest";
import type { ChipHardware } from "../../../agent/chip-hardware.ts";
import type { Task } from "../../../agent/evaluation/figures.ts";
import {
  type Compensation,
  type LifetimeOptions,
  measureChip,
  measureLifetime,
} from "../../../agent/evaluation/lifetime.ts";
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

const { graph, manifest } = toneModel();
const measure = (options: LifetimeOptions) =>
  measureLifetime(graph, surety, options, (job) => measureChip(graph, manifest, surety, job));

it("Wires of resistance take from the answers of evaluated chips, and the result says how much they had", async () => {
  const kinds = [{ device: "ideal" }];
  const behind = (wireOhm: number) =>
    measure({ kinds, agesSeconds: [{ name: "0s", seconds: 0 }], compensations: ["none"], seeds: 1, wireOhm });
  const [free, wired] = [await behind(0), await behind(10_000)];
  expect([free.wireOhm, wired.wireOhm]).toEqual([undefined, 10_000]);
  expect(free.analog[0]!.mean).toBeGreaterThan(0.3); // e² of odds
  expect(wired.analog[0]!.mean).toBeLessThan(0.8 * free.analog[0]!.mean);
  expect(wired.analog[0]!.mean).toBeGreaterThan(0);
});

it("Chips that are not plain are made as asked, and the result says how they were", async () => {
  const after = (chips: ChipHardware, compensation: Compensation) =>
    measure({
      kinds: [{ device: "pcm-nandakumar-2019", ...chips }],
      ...{ agesSeconds: [{ name: "1d", seconds: 86_400 }], compensations: [compensation], seeds: 12 },
    });
  const plain = await after({}, "global");
  const six = await after({ hardware: { pairs: 6 } }, "global");
  expect(plain.chips).toBeUndefined();
  expect(six.chips).toEqual({ hardware: { pairs: 6 } });
  // A sixth of the variance; of twelve chips a spread is known to a fifth.
  expect(six.analog[0]!.std).toBeLessThan(0.75 * plain.analog[0]!.std);
  const broken = await after({ faults: { openWordLines: 1 } }, "global");
  expect(broken.analog[0]!.mean).toBeCloseTo(0, 6);
  const [cool, warm] = [await after({ celsius: 25 }, "none"), await after({ celsius: 85 }, "none")];
  expect(cool.analog).toEqual((await after({}, "none")).analog);
  expect(warm.analog[0]!.mean).toBeLessThan(cool.analog[0]!.mean); // it drifts faster than it gains
});

it("Each device has its own chips, which do not depend on what else is measured", async () => {
  const of = (...devices: string[]) =>
    measure({
      kinds: devices.map((device) => ({ device })),
      agesSeconds: [0, 3600].map((seconds) => ({ name: `${seconds}s`, seconds })),
      ...{ compensations: ["none", "global"], seeds: 2 },
    });
  const both = (await of("pcm-nandakumar-2019", "rram-wan-2022")).analog;
  expect(both.map(({ device, age, compensation }) => `${device} ${age} ${compensation}`)).toEqual(
    ["pcm-nandakumar-2019", "rram-wan-2022"].flatMap((device) =>
      ["0s", "3600s"].flatMap((age) => ["none", "global"].map((compensation) => `${device} ${age} ${compensation}`)),
    ),
  );
  expect(both.slice(4)).toEqual((await of("rram-wan-2022")).analog);
});
