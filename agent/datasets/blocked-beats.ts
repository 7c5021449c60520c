import { QrsDetector } from "../../pipelines/dsp/qrs.ts";
import type { RPeakDetector } from "../../pipelines/operators/frame-at-r-peaks.ts";

/** Beats conducted one to one, then beats of which every second is lost, and so on. */
const conducted = 90;
const blocked = 60;

/**
 * Our own detector, deaf for every second beat of stretches of sixty: a heart with atrioventricular block of 2 to 1 from
 * time to time, which DS1 lacks. Its normal beats come at half of the long intervals and are not early.
 */
export const blockedDetector = (sampleRateHz: number): RPeakDetector => {
  const detector = new QrsDetector(sampleRateHz);
  let beats = 0;
  const heard = (peaks: readonly number[]): number[] =>
    peaks.filter(() => {
      const at = beats++ % (conducted + blocked);
      return at < conducted || at % 2 === 0;
    });
  return { push: (samples) => heard(detector.push(samples)), flush: () => heard(detector.flush()) };
};
