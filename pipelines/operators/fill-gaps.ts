import type { OperatorFunction } from "rxjs";
import type { OnRepair } from "../dropped.ts";
import { endOf, follows, rowsOf } from "../event-time.ts";
import type { SampleBlock } from "../signal.ts";
import { stateful } from "./stateful.ts";

const slewShare = 8n; // of the error of a stamp, 1/8 is taken over by the grid at each block …
const slewMaxNs = 2_500_000n; // … but never more than half of the jitter that later stages tolerate
const exactNs = 1_000n; // stamps nearer than that to the grid are rounding, not jitter

/** Settings of {@link fillGaps}. */
export interface FillGapsSettings {
  /** Longest gap that is interpolated, samples ≥ 0; it may depend on the rate, Hz. */
  readonly maxGapSamples: number | ((sampleRateHz: number) => number);
  readonly onRepair?: OnRepair | undefined;
}

/**
 * Close short gaps by straight lines and take the jitter out of the stamps. Blocks must be in order.
 *
 *   blocks   --[0 1]--[3 4]-------[9 …]--|
 *            fillGaps({ maxGapSamples: 2 })
 *   blocks   --[0 1]--[2][3 4]----[9 …]--|       5 … 8 stay missing
 *
 * A stamp within half a sample (at least 5 ms) of where it is due is no gap; the grid of the samples then follows the
 * sender's clock slowly, by 1/8 of the error a block, at most 2.5 ms. A longer gap, a new rate and a step back pass as
 * they are: stages behind begin afresh there.
 */
export const fillGaps = ({ maxGapSamples, onRepair }: FillGapsSettings): OperatorFunction<SampleBlock, SampleBlock> =>
  stateful(() => {
    let last: SampleBlock | undefined;
    return {
      *take(block) {
        const gap = last === undefined ? 0 : samplesBetween(last, block);
        const longest = typeof maxGapSamples === "number" ? maxGapSamples : maxGapSamples(block.sampleRateHz);
        if (last !== undefined && gap >= 1 && gap <= longest) {
          last = lineBetween(last, block, gap);
          onRepair?.("gap", gap);
          yield last;
        }
        const startAtNs = last !== undefined && follows(last, block) ? slewed(last, block) : block.startAtNs;
        last = startAtNs === block.startAtNs ? block : { ...block, startAtNs };
        yield last;
      },
    };
  });

/** Samples missing between two blocks, to the nearest; 0 where they do not belong together. */
const samplesBetween = (earlier: SampleBlock, later: SampleBlock): number =>
  earlier.sampleRateHz !== later.sampleRateHz ||
  earlier.channels.length !== later.channels.length ||
  follows(earlier, later)
    ? 0
    : Math.round((Number(later.startAtNs - endOf(earlier)) * later.sampleRateHz) / 1e9);

const lineBetween = (earlier: SampleBlock, later: SampleBlock, rows: number): SampleBlock => {
  const width = earlier.channels.length;
  const from = (rowsOf(earlier) - 1) * width;
  const samples = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const share = (row + 1) / (rows + 1);
    for (let c = 0; c < width; c++) {
      const a = earlier.samples[from + c]!;
      samples[row * width + c] = a + share * (later.samples[c]! - a);
    }
  }
  return { ...earlier, startAtNs: endOf(earlier), samples };
};

const slewed = (last: SampleBlock, block: SampleBlock): bigint => {
  const due = endOf(last);
  const error = block.startAtNs - due;
  if (error <= exactNs && -error <= exactNs) return block.startAtNs;
  const step = error / slewShare;
  return due + (step > slewMaxNs ? slewMaxNs : step < -slewMaxNs ? -slewMaxNs : step);
};
