import { type MonoTypeOperatorFunction, tap } from "rxjs";
import type { RecentSamples } from "../recent-samples.ts";
import type { SampleBlock } from "../signal.ts";

/**
 * Keep what passes, so that evidence can be cut from it later.
 *
 *   blocks   --[0 1]--[2 3]--|
 *            remember(recent)
 *   blocks   --[0 1]--[2 3]--|
 */
export const remember = (recent: RecentSamples): MonoTypeOperatorFunction<SampleBlock> =>
  tap((block) => recent.add(block));
