import type { OperatorFunction } from "rxjs";
import type { OnDrop } from "../dropped.ts";
import { Resampler } from "../dsp/resampler.ts";
import { rowsOf, Timeline } from "../event-time.ts";
import type { SampleBlock } from "../signal.ts";
import { perGaplessRun, type Step } from "./stateful.ts";

/** Settings of {@link resample}. */
export interface ResampleSettings {
  /** Rate to give, Hz > 0. */
  readonly sampleRateHz: number;
  /** Blocks that pass whatever their rate is. */
  readonly unless?: (block: SampleBlock) => boolean;
  readonly onDrop?: OnDrop | undefined;
}

/**
 * Bring blocks to one rate, whatever theirs is; with that rate already they pass as they are.
 *
 *   blocks   --[0 1 2 3]--[4 5 6 7]--------|      4 Hz
 *            resample({ sampleRateHz: 2 })
 *   blocks   --------------[0 2]-----[4 6]-|      2 Hz; lags by 32 samples of the lower rate
 *
 * Each gapless stretch is resampled on its own, its first and last sample held beyond its ends. Blocks at rates more
 * than 256 times away are dropped, reason `rate`.
 */
export const resample = ({
  sampleRateHz,
  unless,
  onDrop,
}: ResampleSettings): OperatorFunction<SampleBlock, SampleBlock> =>
  perGaplessRun((first) => {
    if (first.sampleRateHz === sampleRateHz || unless?.(first)) return passing;
    const ratio = first.sampleRateHz / sampleRateHz;
    if (!(ratio <= 256 && ratio >= 1 / 256)) return dropping(onDrop);
    const resampler = new Resampler({
      fromHz: first.sampleRateHz,
      toHz: sampleRateHz,
      channels: first.channels.length,
    });
    const time = new Timeline(first.sampleRateHz);
    let taken = 0;
    let given = 0;
    function* give(samples: Float32Array) {
      if (samples.length === 0) return;
      yield { ...first, startAtNs: time.at(given * ratio), sampleRateHz, samples };
      given += samples.length / first.channels.length;
    }
    return {
      *take(block) {
        time.pin(taken, block.startAtNs);
        taken += rowsOf(block);
        yield* give(resampler.push(block.samples));
      },
      *end() {
        yield* give(resampler.flush());
      },
    };
  });

const passing: Step<SampleBlock, SampleBlock> = {
  *take(block) {
    yield block;
  },
};

const dropping = (onDrop: OnDrop | undefined): Step<SampleBlock, SampleBlock> => ({
  take(block) {
    onDrop?.("rate", rowsOf(block));
    return [];
  },
});
