import type { OperatorFunction } from "rxjs";
import type { OnDrop } from "../dropped.ts";
import { RunningStatistics } from "../dsp/statistics.ts";
import { rowsOf } from "../event-time.ts";
import type { StandardisedSettings } from "../features.ts";
import type { SampleBlock } from "../signal.ts";
import { stateful } from "./stateful.ts";

/**
 * Measure each channel in standard deviations from its mean, both learned from the first rows of the stream.
 *
 *   blocks   --[0 1]--[2 3]--[4 5]---------------|
 *            standardiseFromBaseline({ baselineRows: 4, … })
 *   blocks   ---------([0 1][2 3])--[4 5]--------|
 *
 *   x′ = clip((x − mean) / max(std, relativeStdFloor · |mean|), ± clip)
 *
 * Nothing comes out until the baseline is full; then all that was held does. Gaps do not matter to the baseline.
 * A stream that ends before gives nothing, reason `baseline`. A block with another number of channels is dropped.
 */
export const standardiseFromBaseline = (
  settings: Pick<StandardisedSettings, "baselineRows" | "clip" | "relativeStdFloor">,
  onDrop?: OnDrop,
): OperatorFunction<SampleBlock, SampleBlock> =>
  stateful(() => {
    const held: SampleBlock[] = [];
    let statistics: RunningStatistics | undefined;
    let scale: { readonly mean: number; readonly std: number }[] | undefined;
    return {
      *take(block) {
        statistics ??= new RunningStatistics(block.channels.length);
        if (block.channels.length !== statistics.channels) {
          onDrop?.("channels", rowsOf(block));
          return;
        }
        if (scale !== undefined) {
          yield scaled(block, scale, settings.clip);
          return;
        }
        held.push(block);
        statistics.add(block.samples, 0, Math.min(rowsOf(block), settings.baselineRows - statistics.rows));
        if (statistics.rows < settings.baselineRows) return;
        scale = Array.from(statistics.mean, (mean, c) => ({
          mean,
          std: Math.max(statistics!.std(c), settings.relativeStdFloor * Math.abs(mean)) || 1,
        }));
        for (const first of held.splice(0)) yield scaled(first, scale, settings.clip);
      },
      end() {
        for (const block of held.splice(0)) onDrop?.("baseline", rowsOf(block));
        return [];
      },
    };
  });

const scaled = (
  block: SampleBlock,
  scale: readonly { readonly mean: number; readonly std: number }[],
  clip: number,
): SampleBlock => ({
  ...block,
  samples: block.samples.map((x, i) => {
    const { mean, std } = scale[i % scale.length]!;
    return Math.max(-clip, Math.min(clip, (x - mean) / std));
  }),
});
