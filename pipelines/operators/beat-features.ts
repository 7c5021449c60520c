import type { OperatorFunction } from "rxjs";
import type { Shape } from "../../models/tensor.ts";
import { median } from "../dsp/statistics.ts";
import type { BeatChannel, BeatSettings } from "../features.ts";
import type { Features, Frame } from "../signal.ts";
import { featuresOf } from "./normalise.ts";
import { stateful } from "./stateful.ts";

const scaleBeats = 32; // the amplitude scale is the median over so many beats: ectopic ones do not move it
const templateShare = 1 / 16; // of each beat in the template once 16 have gone by
const longShare = 1 / 64; // of each RR interval in the long mean: about a minute
const rrLimit = 2;

/**
 * Describe each heart beat beside what is usual for this heart. The channels, of T samples each:
 *
 *   beat             (x − median x) / s          s: median peak-to-peak of the last 32 beats, this one included
 *   template         exponential mean of the beats before (1/16 each), with the same s; 0 at the first
 *   rr-before        RR before / mean RR − 1     constant over the T samples, as all below; cut at ±2
 *   rr-after         RR after / mean RR − 1
 *   rr-ratio         RR before / RR after − 1
 *   rr-before-long   RR before / mean RR of about a minute − 1
 *
 *   frames     --[·R·]-----------[·R·]----------|
 *              beatFeatures({ channels: ["beat", "template"] }, [1, T, 2])
 *   features   --[1, T, 2]-------[1, T, 2]------|
 *
 * The first channel of the frame alone is used. What is usual is forgotten at a gap.
 */
export const beatFeatures = (settings: BeatSettings, shape: Shape): OperatorFunction<Frame, Features> =>
  stateful(() => {
    let heart = unknownHeart();
    return {
      *take(frame) {
        if (frame.index === 0) heart = unknownHeart();
        const beat = withoutBaseline(frame);
        heart.amplitudes.push(Math.max(...beat) - Math.min(...beat));
        if (heart.amplitudes.length > scaleBeats) heart.amplitudes.shift();
        const scale = Math.max(median(heart.amplitudes), 1e-6);
        const rr = frame.rr ?? { beforeSeconds: 1, afterSeconds: 1, meanSeconds: 1 };
        const usual = heart.template ?? new Float64Array(beat.length);
        const values: Readonly<Record<BeatChannel, (i: number) => number>> = {
          beat: (i) => beat[i]! / scale,
          template: (i) => usual[i]! / scale,
          "rr-before": () => excess(rr.beforeSeconds, rr.meanSeconds),
          "rr-after": () => excess(rr.afterSeconds, rr.meanSeconds),
          "rr-ratio": () => excess(rr.beforeSeconds, rr.afterSeconds),
          "rr-before-long": () => excess(rr.beforeSeconds, heart.longRrSeconds ?? rr.meanSeconds),
        };
        const width = settings.channels.length;
        const data = new Float32Array(beat.length * width);
        settings.channels.forEach((name, c) => {
          for (let i = 0; i < beat.length; i++) data[i * width + c] = values[name](i);
        });
        heart.beats++;
        learn(heart, beat, rr.beforeSeconds);
        yield featuresOf(frame, shape, data);
      },
    };
  });

interface Heart {
  readonly amplitudes: number[];
  template: Float64Array | undefined;
  longRrSeconds: number | undefined;
  beats: number;
}

const unknownHeart = (): Heart => ({ amplitudes: [], template: undefined, longRrSeconds: undefined, beats: 0 });

const learn = (heart: Heart, beat: Float64Array, rrSeconds: number): void => {
  heart.template ??= beat.slice();
  const share = Math.max(templateShare, 1 / heart.beats);
  for (let i = 0; i < beat.length; i++) heart.template[i]! += share * (beat[i]! - heart.template[i]!);
  heart.longRrSeconds ??= rrSeconds;
  heart.longRrSeconds += Math.max(longShare, 1 / heart.beats) * (rrSeconds - heart.longRrSeconds);
};

const withoutBaseline = ({ samples, channels: { length: width } }: Frame): Float64Array => {
  const lead = Float64Array.from({ length: samples.length / width }, (_, i) => samples[i * width]!);
  const baseline = median(lead);
  return lead.map((x) => x - baseline);
};

const excess = (value: number, usual: number): number => Math.max(-rrLimit, Math.min(rrLimit, value / usual - 1));
