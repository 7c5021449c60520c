import type { OperatorFunction } from "rxjs";
import type { Shape } from "../../models/tensor.ts";
import { numbersOfBeat } from "../dsp/beat-numbers.ts";
import { BeatShape } from "../dsp/beat-shape.ts";
import { Rhythm } from "../dsp/rhythm.ts";
import { median } from "../dsp/statistics.ts";
import type { BeatChannel, BeatSettings } from "../features.ts";
import type { Features, Frame } from "../signal.ts";
import { featuresOf } from "./normalise.ts";
import { stateful } from "./stateful.ts";

/** A beat counts for less than the numbers: nets that see more of it know their patients, and others less. */
const beatHeights = 3;
const numbersOfChannel = numbersOfBeat / 3;

/**
 * Describe each heart beat beside what is usual for this heart. The channels, of T samples each:
 *
 *   beat              (x − median x) / 3 s           s: median peak-to-peak of the last 32 beats, this one included
 *   template          median of the 31 beats before, with the same s; at the first, the beat itself
 *   rhythm-a, -b, -c  the 24 numbers of `dsp/rhythm.ts`, eight a channel, each constant over T / 8 samples
 *   shape-a, -b, -c   the 24 numbers of `dsp/beat-shape.ts`, in the same way
 *
 *   frames     --[·R·]-----------[·R·]----------|
 *              beatFeatures({ channels: ["beat", "template"], … }, [1, T, 2])
 *   features   --[1, T, 2]-------[1, T, 2]------|
 *
 * The first channel of the frame alone is used. What is usual is forgotten at a gap.
 *
 * @param peakAt where the R peak stands in each frame, samples
 */
export const beatFeatures = (
  { channels }: BeatSettings,
  { shape, peakAt }: { readonly shape: Shape; readonly peakAt: number },
): OperatorFunction<Frame, Features> =>
  stateful(() => {
    let rhythm = new Rhythm();
    let beatShape: BeatShape | undefined;
    return {
      *take(frame) {
        if (frame.index === 0 || beatShape === undefined) {
          rhythm = new Rhythm();
          beatShape = new BeatShape(frame.sampleRateHz, peakAt);
        }
        const beat = withoutBaseline(frame);
        const { beforeSeconds, afterSeconds } = frame.rr ?? { beforeSeconds: 1, afterSeconds: 1 };
        const times = rhythm.describe(beforeSeconds, afterSeconds);
        const { scale, template, numbers } = beatShape.describe(beat);
        const eighth = (i: number): number => Math.floor((numbersOfChannel * i) / beat.length);
        const third = (of: Float32Array, k: number) => (i: number) => of[k * numbersOfChannel + eighth(i)]!;
        const values: Readonly<Record<BeatChannel, (i: number) => number>> = {
          beat: (i) => beat[i]! / (beatHeights * scale),
          template: (i) => template[i]! / (beatHeights * scale),
          "rhythm-a": third(times, 0),
          "rhythm-b": third(times, 1),
          "rhythm-c": third(times, 2),
          "shape-a": third(numbers, 0),
          "shape-b": third(numbers, 1),
          "shape-c": third(numbers, 2),
        };
        const width = channels.length;
        const data = new Float32Array(beat.length * width);
        channels.forEach((name, c) => {
          for (let i = 0; i < beat.length; i++) data[i * width + c] = values[name](i);
        });
        yield featuresOf(frame, shape, data);
      },
    };
  });

const withoutBaseline = ({ samples, channels: { length: width } }: Frame): Float64Array => {
  const lead = Float64Array.from({ length: samples.length / width }, (_, i) => samples[i * width]!);
  const baseline = median(lead);
  return lead.map((x) => x - baseline);
};
