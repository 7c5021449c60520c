import type { OperatorFunction } from "rxjs";
import { type Biquad, BiquadCascade, butterworth } from "../dsp/biquad.ts";
import type { SampleBlock } from "../signal.ts";
import { perGaplessRun } from "./stateful.ts";

/**
 * Run each channel through a cascade of second-order sections.
 *
 *   blocks   --[x₀ x₁]--[x₂]--|
 *            filter(sections)
 *   blocks   --[y₀ y₁]--[y₂]--|
 *
 * After a gap the filter starts settled on the first sample, so that an offset makes no transient. It delays as causal
 * filters do; the stamps do not account for it.
 */
export const filter = (
  sections: readonly Biquad[] | ((sampleRateHz: number) => readonly Biquad[]),
): OperatorFunction<SampleBlock, SampleBlock> =>
  perGaplessRun((first) => {
    const designed = typeof sections === "function" ? sections(first.sampleRateHz) : sections;
    const cascade = new BiquadCascade(designed, first.channels.length);
    cascade.settle(first.samples);
    return {
      *take(block) {
        yield { ...block, samples: cascade.run(block.samples) };
      },
    };
  });

/** Edges of a band-pass, Hz, and the Butterworth order of each edge. */
export interface BandpassSettings {
  readonly lowHz: number;
  readonly highHz: number;
  readonly order: number;
  readonly sampleRateHz: number;
}

/** Sections of a band-pass: a Butterworth high-pass, then a low-pass; an edge at 0 or beyond Nyquist is left open. */
export const bandpassSections = ({ lowHz, highHz, order, sampleRateHz }: BandpassSettings): Biquad[] => [
  ...(lowHz > 0 ? butterworth({ kind: "highpass", order, cutoffHz: lowHz, sampleRateHz }) : []),
  ...(highHz < sampleRateHz / 2 ? butterworth({ kind: "lowpass", order, cutoffHz: highHz, sampleRateHz }) : []),
];

/**
 * Keep the frequencies between two edges; see {@link filter}.
 *
 * @throws RangeError at once, when the edges do not fit the rate
 */
export const bandpass = (settings: BandpassSettings): OperatorFunction<SampleBlock, SampleBlock> =>
  filter(bandpassSections(settings));
