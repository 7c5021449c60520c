import type { Seen } from "./answer-noise.ts";
import { fewInputs } from "./trial-inputs.ts";

/** Looks that later ones are compared with. */
export interface Remembered {
  /** What was seen of the chip when new. */
  readonly first: Seen | undefined;
  /** And a day to a month after whole tiles were written: what writing anew can give. */
  readonly settled: (Seen & { readonly writtenAtSeconds: number }) | undefined;
}

/** Chip time within which stream inputs take the place of test vectors for what the chip was when new, s: a day. */
const settleSeconds = 86_400;

/** What a look is remembered as beside those that are: of those of the same time that of most inputs. */
export const rememberedWith = (
  now: Seen,
  { first, settled, rewrittenAtSeconds: writtenAtSeconds }: Remembered & { readonly rewrittenAtSeconds: number },
  ageSeconds: number,
): Remembered => {
  const isYoung = ageSeconds < settleSeconds;
  const isBetterKnown = isYoung && writtenAtSeconds === 0 && (first?.inputs ?? 0) < Math.min(fewInputs, now.inputs);
  const hasSettled = !isYoung && ageSeconds < 30 * settleSeconds;
  const isKnown = settled?.writtenAtSeconds === writtenAtSeconds && settled.inputs >= now.inputs;
  return {
    first: first === undefined || isBetterKnown ? now : first,
    settled: hasSettled && !isKnown ? { ...now, writtenAtSeconds } : settled,
  };
};
