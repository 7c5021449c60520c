import { from } from "rxjs";
import type { Manifest } from "../../models/manifest.ts";
import type { Doubt } from "../../models/model.ts";
import type { Network } from "../../models/network/network.ts";
import { pipelineFor } from "../../pipelines/pipeline.ts";
import type { Classification } from "../../pipelines/signal.ts";
import { baselineRows, pumpFiles, rowTimes } from "../datasets/pump.ts";
import { openRecording } from "../recordings/open.ts";
import type { Task } from "./figures.ts";
import { anomalyMetrics } from "./metrics.ts";

/**
 * SKAB's outlier protocol: of each file the first 400 rows are learned from, the rest is scored row by row against
 * the `anomaly` column. A row is an alarm when the window that ends with it has a score of 1 or more.
 */
export const openPumpTask = async (manifest: Manifest, folder: string): Promise<Task> => {
  const files = await Promise.all(
    pumpFiles(folder).map(async (path) => {
      const recording = await openRecording(path);
      return { blocks: [...recording.blocks(1)], times: rowTimes(recording), labels: recording.labels?.["anomaly"] };
    }),
  );
  const scored = files.reduce((n, f) => n + Math.max(0, f.times.length - baselineRows), 0);
  return {
    samples: scored,
    data: `SKAB, ${files.length} files, rows after the first ${baselineRows}`,
    score(network: Network, doubt?: Doubt) {
      const truth: number[] = [];
      const alarm: number[] = [];
      const windows = { all: 0, doubted: 0 };
      for (const { blocks, times, labels } of files) {
        if (labels === undefined) continue;
        const score = new Map<bigint, number>();
        const onClassification = (c: Classification) => {
          score.set(c.toNs, c.scores[0]!);
          windows.all++;
          if (c.uncertain || c.redone) windows.doubted++;
        };
        const model = { manifest, sha256: "", network, ...(doubt && { doubt }) };
        const pipeline = pipelineFor(manifest.modality)(model, { onClassification });
        from(blocks).pipe(pipeline.upTo("classify")).subscribe();
        const periodNs = BigInt(Math.round(1e9 / manifest.input.sampleRateHz));
        for (let row = baselineRows; row < times.length; row++) {
          truth.push(labels[row]! > 0 ? 1 : 0);
          alarm.push((score.get(times[row]! + periodNs) ?? score.get(times[row]!) ?? 0) >= 1 ? 1 : 0);
        }
      }
      const { f1, farPercent, marPercent } = anomalyMetrics(truth, alarm);
      return { numbers: { f1, farPercent, marPercent, ...(doubt && { doubted: windows.doubted / windows.all }) } };
    },
  };
};
