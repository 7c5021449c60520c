import { SequentialRandom } from "../../models/random.ts";
import type { BeatLead } from "./ecg-beats.ts";

/**
 * Rhythms that DS1 lacks, or has of one patient alone:
 *
 *   sick-sinus     a slow sinus rhythm with pauses, and runs of early atrial beats that are most of all beats
 *   fibrillation   irregular intervals without P waves: no beat is early
 */
export const rearrangements = ["sick-sinus", "fibrillation"] as const;
export type Rearrangement = (typeof rearrangements)[number];

/** A beat to come: the interval before it, its class and its P wave times this, so many seconds earlier. */
interface PlannedBeat {
  readonly rrSeconds: number;
  readonly kind: "N" | "S";
  readonly pGain: number;
  readonly pEarlierSeconds: number;
}

const plannedBeats = 1200;
/** Parts of a beat around its R peak, seconds: what is taken along, and where its P wave is. */
const taken = [-0.29, 0.42] as const;
const pWave = [-0.255, -0.072] as const;
const beforeNext = 0.08; // a beat ends so long before the next R peak
const beforeNextTaken = 0.22; // and took no more along than up to so long before its own next
const shortest = { before: 0.5, after: 0.45 }; // seconds: beats that follow others sooner are not taken
const fewest = 200; // beats to take from
const rest = 1.5; // seconds before the first

/**
 * The normal beats of a record in another rhythm, and with other P waves: cut out around their R peaks, put at new
 * distances, joined by straight lines. Where one begins before another ends, it fades in. Undefined where a record has
 * too few normal beats.
 *
 * @param seed  and record: the rhythm's own rate, irregularity and P wave
 */
export const rearranged = (lead: BeatLead, how: Rearrangement, seed: number, record: number): BeatLead | undefined => {
  const { sampleRateHz, samples } = lead;
  const random = new SequentialRandom(seed, [record, rearrangements.indexOf(how), 0]);
  const at = (seconds: number): number => Math.round(seconds * sampleRateHz);
  const sources = sourcesOf(lead);
  if (sources.length < fewest) return undefined;
  const plan = how === "sick-sinus" ? sickSinus(random) : fibrillation(random);
  const peaks: number[] = [];
  for (const { rrSeconds } of plan) peaks.push((peaks.at(-1) ?? at(rest)) + at(rrSeconds));
  const out = new Float32Array(peaks.at(-1)! + at(rest));
  let end = 0; // of what is written
  for (const [i, planned] of plan.entries()) {
    const { peak, next } = sources[i % sources.length]!;
    const piece = samples.slice(peak + at(taken[0]), Math.min(peak + at(taken[1]), next - at(beforeNextTaken)));
    changePWave(piece, at(pWave[0] - taken[0]), at(pWave[1] - taken[0]), planned.pGain, at(planned.pEarlierSeconds));
    const from = peaks[i]! + at(taken[0]);
    const until = Math.min(from + piece.length, (peaks[i + 1] ?? out.length) - at(beforeNext));
    const last = end > 0 ? out[end - 1]! : piece[0]!;
    for (let j = end; j < from; j++) out[j] = last + ((piece[0]! - last) * (j - end + 1)) / (from - end + 1);
    for (let j = from; j < until; j++) {
      const part = j < end ? (j - from + 1) / (end - from + 1) : 1;
      out[j] = (1 - part) * out[j]! + part * piece[j - from]!;
    }
    end = Math.max(end, until);
  }
  out.fill(out[end - 1]!, end);
  const beats = plan.map(({ kind }, i) => ({ atNs: nsOf(peaks[i]!, sampleRateHz), kind }));
  return { sampleRateHz, samples: out, beats };
};

const nsOf = (sample: number, sampleRateHz: number): bigint => BigInt(Math.round((sample / sampleRateHz) * 1e9));

/** Normal beats with room around them: index of the R peak, and of the next. */
const sourcesOf = ({ sampleRateHz, beats }: BeatLead): { readonly peak: number; readonly next: number }[] => {
  const peaks = beats.map(({ atNs }) => Math.round((Number(atNs) / 1e9) * sampleRateHz));
  return peaks.flatMap((peak, i) => {
    const [before, next] = [peaks[i - 1], peaks[i + 1]];
    if (beats[i]!.kind !== "N" || before === undefined || next === undefined) return [];
    const roomy = peak - before > shortest.before * sampleRateHz && next - peak > shortest.after * sampleRateHz;
    return roomy ? [{ peak, next }] : [];
  });
};

/** Take a bump off its straight line, tapered, and put it back times `gain`, so many samples earlier. In place. */
const changePWave = (piece: Float32Array, from: number, to: number, gain: number, earlier: number): void => {
  if (gain === 1 && earlier === 0) return;
  const length = to - from;
  const [first, last] = [piece[from]!, piece[to - 1]!];
  const bump = Float32Array.from({ length }, (_, j) => {
    const taper = 0.5 - 0.5 * Math.cos((2 * Math.PI * (j + 0.5)) / length);
    return taper * (piece[from + j]! - first - ((last - first) * j) / (length - 1));
  });
  for (let j = 0; j < length; j++) piece[from + j] = piece[from + j]! - bump[j]! + gain * (bump[j + earlier] ?? 0);
};

/** Of ectopic atrial beats: small, upside down, or early, as the heart has it. */
const ectopicPWave = (random: SequentialRandom): { readonly pGain: number; readonly pEarlierSeconds: number } => {
  const kind = random.integer(3);
  if (kind < 2) return { pGain: kind === 0 ? 0.3 : -0.7, pEarlierSeconds: 0 };
  return { pGain: 1, pEarlierSeconds: 0.022 + 0.034 * random.uniform() };
};

const sickSinus = (random: SequentialRandom): PlannedBeat[] => {
  const u = () => random.uniform();
  const spread = (of: number): number => Math.exp(of * random.gaussian());
  const sinusSeconds = 1.1 + 1.2 * u();
  const atrialSeconds = 0.55 + 0.3 * u();
  const runBeats = 1.5 + 4 * u();
  const stretches = 0.1 * u(); // how often the sinus node keeps going
  const p = ectopicPWave(random);
  const plan: PlannedBeat[] = [];
  const sinus = (rrSeconds: number) => plan.push({ rrSeconds, kind: "N", pGain: 1, pEarlierSeconds: 0 });
  while (plan.length < plannedBeats) {
    sinus(u() < 0.06 ? 2.5 + 2 * u() : Math.min(2.9, sinusSeconds * spread(0.08)));
    if (u() < stretches) for (let k = 2 + random.integer(10); k > 0; k--) sinus(sinusSeconds * spread(0.05));
    const rate = atrialSeconds * spread(0.06);
    do plan.push({ rrSeconds: Math.max(0.45, rate * spread(0.06)), kind: "S", ...p });
    while (u() < 1 - 1 / runBeats);
  }
  return plan.slice(0, plannedBeats);
};

const fibrillation = (random: SequentialRandom): PlannedBeat[] => {
  const meanSeconds = 0.55 + 0.5 * random.uniform();
  const irregularity = 0.12 + 0.18 * random.uniform();
  let slow = 0;
  return Array.from({ length: plannedBeats }, () => {
    slow = 0.98 * slow + 0.02 * random.gaussian();
    const rr = meanSeconds * Math.exp(slow + irregularity * random.gaussian());
    return { rrSeconds: Math.max(0.36, Math.min(2.2, rr)), kind: "N" as const, pGain: 0, pEarlierSeconds: 0 };
  });
};
