import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bearingFaults, bearingLoads } from "../../../agent/datasets/bearing-faults.ts";
import { predict } from "../../../agent/evaluation/predict.ts";
import { parseModel } from "../../../models/load.ts";
import { DigitalNetwork } from "../../../models/network/digital.ts";
import { frontEnd } from "../../../pipelines/pipeline.ts";
import { dataDir } from "../../support/data.ts";

const folder = join(dataDir ?? "", "cwru-12k-drive-end");
const { graph, manifest } = parseModel(
  readFileSync(new URL("../../../models/zoo/bearing-faults/model.onnx", import.meta.url)),
);
const pipeline = () => frontEnd(manifest, {});

describe.skipIf(dataDir === undefined)("Bearing faults of CWRU", () => {
  it("are at three loads, 0, 1 and 2 hp", () => {
    expect(bearingLoads(folder)).toEqual([0, 1, 2]);
  });

  it("are told from healthy bearings not by the sample rate: healthy is healthy at 12 and at 48 kHz, no fault is", async () => {
    const network = new DigitalNetwork(graph, { kernel: "simd" });
    const healthy = manifest.labels.indexOf("normal");
    const share = async (use: "test" | "other-rate", of: (label: number) => boolean): Promise<number> => {
      const set = await bearingFaults(folder, [2], manifest.labels, pipeline, use);
      const found = predict(network, set, manifest.input.scale);
      const mine = found.filter((_, i) => of(set.labels[i]!));
      return mine.filter((label) => label === healthy).length / mine.length;
    };
    expect(await share("test", (label) => label === healthy)).toBeGreaterThan(0.98);
    expect(await share("other-rate", () => true)).toBeLessThan(0.02);
  }, 60_000);
});
