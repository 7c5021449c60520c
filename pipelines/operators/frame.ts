import type { OperatorFunction } from "rxjs";
import { RowBuffer } from "../dsp/row-buffer.ts";
import { Timeline } from "../event-time.ts";
import type { Frame, SampleBlock } from "../signal.ts";
import { perGaplessRun } from "./stateful.ts";

/** Settings of {@link frame}. */
export interface FrameSettings {
  readonly frameSamples: number;
  readonly hopSamples: number;
}

/**
 * Cut a stream of blocks into overlapping windows.
 *
 *   blocks   --[0 1 2]--[3 4 5]--[6 7 8]--|
 *            frame({ frameSamples: 4, hopSamples: 2 })
 *   frames   -----------[0..3]---[2..5][4..7]--|
 *
 * A gap, a change of rate or a step back in time drops what was held and starts afresh at index 0,
 * so that no frame ever spans a gap. A rest shorter than a frame is dropped at the end.
 *
 * @param frameSamples length of a window, samples > 0
 * @param hopSamples   distance between the starts of two windows, samples, 1 … frameSamples
 * @throws RangeError  at once, when the lengths do not fit
 */
export const frame = ({ frameSamples, hopSamples }: FrameSettings): OperatorFunction<SampleBlock, Frame> => {
  if (!(Number.isInteger(frameSamples) && frameSamples >= 1)) {
    throw new RangeError(`frameSamples: expected an integer ≥ 1, got ${frameSamples}`);
  }
  if (!(Number.isInteger(hopSamples) && hopSamples >= 1 && hopSamples <= frameSamples)) {
    throw new RangeError(`hopSamples: expected an integer in 1 … ${frameSamples}, got ${hopSamples}`);
  }
  return perGaplessRun(({ stream, sampleRateHz, channels }) => {
    const held = new RowBuffer(channels.length);
    const time = new Timeline(sampleRateHz);
    let index = 0;
    return {
      *take(block) {
        time.pin(held.end, block.startAtNs);
        held.append(block.samples);
        let start = index * hopSamples;
        while (start + frameSamples <= held.end) {
          const samples = held.view(start, start + frameSamples).slice();
          yield { stream, startAtNs: time.at(start), sampleRateHz, channels, samples, index: index++ };
          start = index * hopSamples;
        }
        held.dropBefore(start);
      },
    };
  });
};
