import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { ChipThreads } from "../../../agent/evaluation/chip-threads.ts";
import { type LifetimeOptions, measureChip } from "../../../agent/evaluation/lifetime.ts";
import { openTask } from "../../../agent/evaluation/task.ts";
import { parseModel } from "../../../models/load.ts";
import { dataDir } from "../../support/data.ts";

it.skipIf(dataDir === undefined)(
  "Chips measured in threads have the figures of chips measured here, and each score is told",
  async () => {
    const data = dataDir!;
    const model = readFileSync(new URL("../../../models/zoo/digits-mlp/model.onnx", import.meta.url));
    const { graph, manifest } = parseModel(model);
    const options: LifetimeOptions = {
      kinds: [{ device: "pcm-nandakumar-2019" }],
      agesSeconds: [{ name: "1d", seconds: 86_400 }],
      ...{ compensations: ["global"], seeds: 1 },
    };
    const task = await openTask(manifest, data);
    let scores = 0;
    const threads = new ChipThreads({ model, data, fold: undefined }, 1, () => scores++);
    try {
      const jobs = [1].map((seed) => ({ kind: options.kinds[0]!, seed, options }));
      const there = await Promise.all(jobs.map(threads.measure));
      expect(there).toEqual(jobs.map((job) => measureChip(graph, manifest, task, job)));
      expect(scores).toBe(1);
    } finally {
      await threads.close();
    }
  },
  120_000,
);
