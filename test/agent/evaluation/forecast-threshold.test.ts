import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { probationFeatures } from "../../../agent/datasets/nab.ts";
import { largestScores, thresholdChips, withThreshold } from "../../../agent/evaluation/forecast-threshold.ts";
import { modelBytes, zooNames } from "../../../agent/models.ts";
import { deviceByName } from "../../../models/crossbar/devices/registry.ts";
import { parseModel } from "../../../models/load.ts";
import { AnalogNetwork } from "../../../models/network/analog.ts";
import { runningForm } from "../../../models/running-form.ts";
import { frontEnd } from "../../../pipelines/pipeline.ts";
import { dataDir } from "../../support/data.ts";

describe.skipIf(dataDir === undefined || !zooNames().includes("sensor-gru"))(
  "The threshold of sensor-gru (skipped without ../shared/data)",
  () => {
    const { graph, manifest } = parseModel(modelBytes("sensor-gru"));
    const { input, mapping } = manifest;
    const series = () =>
      probationFeatures(join(dataDir!, "nab"), input, () => frontEnd(manifest, {})).map(({ rows }) => rows);

    it("is what the first chip of each kind that it is of gives, to a twentieth", () => {
      const unscaled = { ...manifest, input: { ...input, features: { ...input.features, threshold: 1 } } };
      const chips = thresholdChips.filter(({ seed }) => seed === thresholdChips[0]!.seed);
      expect(chips).toHaveLength(4);
      const { features } = withThreshold({ graph, manifest: unscaled }, series(), 0.8, chips);
      const [few, all] = [features, input.features].map(({ threshold }) => threshold as number);
      expect(few! / all!).toBeGreaterThan(0.95);
      expect(few! / all!).toBeLessThan(1.05);
    });

    it("leaves four fifths of the series silent on other chips, whatever their device and age", () => {
      const rows = series();
      for (const device of ["pcm-nandakumar-2019", "rram-wan-2022"]) {
        const chip = new AnalogNetwork(runningForm(graph, manifest), {
          ...{ device: deviceByName(device), seed: 1, mapping, kernel: "simd" },
        });
        for (const ageSeconds of [0, 86_400, 315_360_000]) {
          chip.ageTo(ageSeconds);
          chip.calibrate("global");
          const silent = largestScores(chip, input, rows).filter((score) => score < 1).length;
          // 41 of 51, give or take one.
          expect(Math.abs(silent - 0.8 * rows.length)).toBeLessThan(1.5);
        }
      }
    });
  },
);
