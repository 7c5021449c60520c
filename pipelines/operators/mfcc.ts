import type { OperatorFunction } from "rxjs";
import { Dct } from "../dsp/dct.ts";
import { LogMel } from "../dsp/log-mel.ts";
import { RowBuffer } from "../dsp/row-buffer.ts";
import { Timeline } from "../event-time.ts";
import type { MfccSettings } from "../features.ts";
import type { SampleBlock } from "../signal.ts";
import { perGaplessRun } from "./stateful.ts";

/** Names of the channels that MFCCs travel under: `c0`, `c1` … */
export const mfccChannels = (coefficients: number): string[] => Array.from({ length: coefficients }, (_, k) => `c${k}`);

/**
 * Turn sound into mel-frequency cepstral coefficients: blocks of sound (−1 … 1) in, blocks of coefficients out, one row
 * a hop, stamped with the start of its window. An audio node that sends MFCCs sends just such blocks.
 *
 *   sound    --[480 samples]--[160]--[320]----|
 *            mfcc({ frameSamples: 480, hopSamples: 160, … })
 *   rows     --[c0 … c39]-----[·]----[· ·]----|      100 Hz at 16 kHz
 *
 * Only the first channel is heard. A gap starts afresh.
 *
 * @throws RangeError at once, when sizes do not fit each other
 */
export const mfcc = (settings: MfccSettings, sampleRateHz: number): OperatorFunction<SampleBlock, SampleBlock> => {
  const { frameSamples, hopSamples, coefficients } = settings;
  const logMel = new LogMel({ ...settings, sampleRateHz });
  const dct = new Dct(logMel.bands, coefficients);
  const levels = new Float32Array(logMel.bands); // written and read within a row: shared by all subscriptions
  const channels = mfccChannels(coefficients);
  return perGaplessRun(({ stream, channels: { length: width } }) => {
    const held = new RowBuffer(1);
    const time = new Timeline(sampleRateHz);
    let next = 0; // sample at which the next window starts
    return {
      *take(block) {
        time.pin(held.end, block.startAtNs);
        held.append(width === 1 ? block.samples : block.samples.filter((_, i) => i % width === 0));
        const rows = Math.max(0, Math.floor((held.end - frameSamples - next) / hopSamples) + 1);
        if (rows === 0) return;
        const samples = new Float32Array(rows * coefficients);
        for (let row = 0; row < rows; row++) {
          const start = next + row * hopSamples;
          logMel.frameInto(held.view(start, start + frameSamples), 0, levels);
          dct.applyInto(levels, 0, samples, row * coefficients);
        }
        const startAtNs = time.at(next);
        next += rows * hopSamples;
        held.dropBefore(next);
        yield { stream, startAtNs, sampleRateHz: sampleRateHz / hopSamples, channels, samples };
      },
    };
  });
};
