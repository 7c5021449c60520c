import type { OperatorFunction } from "rxjs";
import type { OnDrop } from "../dropped.ts";
import { Dct } from "../dsp/dct.ts";
import { LogMel } from "../dsp/log-mel.ts";
import { RowBuffer } from "../dsp/row-buffer.ts";
import { rowsOf, Timeline } from "../event-time.ts";
import type { MfccSettings } from "../features.ts";
import type { SampleBlock } from "../signal.ts";
import { perGaplessRun, type Step } from "./stateful.ts";

/** Names of the channels that MFCCs travel under: `c0`, `c1` … */
export const mfccChannels = (coefficients: number): string[] => Array.from({ length: coefficients }, (_, k) => `c${k}`);

/** Whether a block holds MFCCs already, computed at the sensor: its channels are `c0`, `c1` … */
export const isMfcc = ({ channels }: SampleBlock): boolean => channels.length > 1 && channels[0] === "c0";

/**
 * Turn sound into mel-frequency cepstral coefficients: blocks of sound (−1 … 1) in, blocks of coefficients out, one row
 * a hop, stamped with the start of its window. Blocks that hold MFCCs already ({@link isMfcc}) pass as they are when
 * they have as many coefficients and the same rate; else they are dropped, reason `channels` or `rate`.
 *
 *   sound    --[480 samples]--[160]--[320]----|
 *            mfcc({ frameSamples: 480, hopSamples: 160, … })
 *   rows     --[c0 … c39]-----[·]----[· ·]----|      100 Hz at 16 kHz
 *
 * Only the first channel is heard. A gap starts afresh.
 *
 * @throws RangeError at once, when sizes do not fit each other
 */
export const mfcc = (
  settings: MfccSettings,
  sampleRateHz: number,
  onDrop?: OnDrop,
): OperatorFunction<SampleBlock, SampleBlock> => {
  const { frameSamples, hopSamples, coefficients } = settings;
  const logMel = new LogMel({ ...settings, sampleRateHz });
  const dct = new Dct(logMel.bands, coefficients);
  const levels = new Float32Array(logMel.bands); // written and read within a row: shared by all subscriptions
  const channels = mfccChannels(coefficients);
  return perGaplessRun((first) => {
    if (isMfcc(first)) return passing(settings, sampleRateHz / hopSamples, onDrop);
    const { stream } = first;
    const width = first.channels.length;
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

const passing = (
  { coefficients }: MfccSettings,
  rowRateHz: number,
  onDrop: OnDrop | undefined,
): Step<SampleBlock, SampleBlock> => ({
  *take(block) {
    if (block.channels.length !== coefficients) onDrop?.("channels", rowsOf(block));
    else if (block.sampleRateHz !== rowRateHz) onDrop?.("rate", rowsOf(block));
    else yield block;
  },
});
