import type { OperatorFunction } from "rxjs";
import { RowBuffer } from "../dsp/row-buffer.ts";
import { Timeline } from "../event-time.ts";
import type { Frame, SampleBlock } from "../signal.ts";
import { perGaplessRun } from "./stateful.ts";

/** Finds R peaks in one lead; indices count samples since it was made, and only grow. */
export interface RPeakDetector {
  push(samples: Float32Array): number[];
  flush(): number[];
}

/** Settings of {@link frameAtRPeaks}. */
export interface FrameAtRPeaksSettings {
  /** Samples before the R peak, and from it to the end: the window is `before + after` long. */
  readonly beforeSamples: number;
  readonly afterSamples: number;
  readonly createDetector: (sampleRateHz: number) => RPeakDetector;
}

const longestRrSeconds = 3; // a longer pause counts as one of 3 s, so that a beat never waits longer for its successor
const detectorDelaySeconds = 3; // by then a detector has said what it saw

/**
 * Cut a window around each heart beat, with the distances to its neighbours.
 *
 *   blocks   --[ … R … ]--[ … R … ]--[ … R … ]--|
 *            frameAtRPeaks({ beforeSamples, afterSamples, createDetector })
 *   frames   -------------[·R·]------[·R·]------[·R·]|       one beat later: RR after is known only then
 *
 * Peaks are looked for in the first channel; the frame holds all. The first beat after a gap takes the interval after it for the one before, the last before a gap the
 * other way round; a beat alone between two gaps, and one whose window crosses a gap, give no frame. A pause above
 * 3 s counts as 3 s.
 *
 * @throws RangeError at once, when the lengths are no integers ≥ 1
 */
export const frameAtRPeaks = (settings: FrameAtRPeaksSettings): OperatorFunction<SampleBlock, Frame> => {
  const { beforeSamples, afterSamples, createDetector } = settings;
  for (const [name, value] of Object.entries({ beforeSamples, afterSamples })) {
    if (!(Number.isInteger(value) && value >= 1))
      throw new RangeError(`${name}: expected an integer ≥ 1, got ${value}`);
  }
  return perGaplessRun(({ stream, sampleRateHz, channels }) => {
    const detector = createDetector(sampleRateHz);
    const held = new RowBuffer(channels.length);
    const time = new Timeline(sampleRateHz);
    const longestRr = Math.round(longestRrSeconds * sampleRateHz);
    const patience = longestRr + Math.round(detectorDelaySeconds * sampleRateHz);
    const peaks: number[] = []; // those still without a frame
    let interval: number | undefined; // up to peaks[0], samples
    let index = 0;

    const secondsOf = (samples: number) => samples / sampleRateHz;
    function* cut(peak: number, next: number | undefined): Generator<Frame> {
      const after = next === undefined ? interval : Math.min(next - peak, longestRr);
      const before = interval ?? after;
      const from = peak - beforeSamples;
      const to = peak + afterSamples;
      if (before !== undefined && after !== undefined && from >= held.first && to <= held.end) {
        yield {
          stream,
          startAtNs: time.at(from),
          sampleRateHz,
          channels,
          samples: held.view(from, to).slice(),
          index: index++,
          eventAtNs: time.at(peak),
          rr: { beforeSeconds: secondsOf(before), afterSeconds: secondsOf(after) },
        };
      }
      interval = after ?? interval;
    }
    function* due(final: boolean): Generator<Frame> {
      for (;;) {
        const [peak, next] = peaks;
        if (peak === undefined) return;
        const known = next !== undefined || held.end >= peak + patience;
        if (!final && !(known && held.end >= peak + afterSamples)) return;
        peaks.shift();
        yield* cut(peak, next ?? (known ? peak + longestRr : undefined));
      }
    }
    return {
      *take(block) {
        const { length: width } = channels;
        time.pin(held.end, block.startAtNs);
        held.append(block.samples);
        peaks.push(...detector.push(width === 1 ? block.samples : block.samples.filter((_, i) => i % width === 0)));
        yield* due(false);
        held.dropBefore(Math.min(peaks[0] ?? held.end, held.end - patience) - beforeSamples);
      },
      *end() {
        peaks.push(...detector.flush());
        yield* due(true);
      },
    };
  });
};
