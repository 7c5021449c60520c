import { Observable, type OperatorFunction } from "rxjs";
import { follows } from "../event-time.ts";
import type { SampleBlock } from "../signal.ts";

/** What an operator does with each value, and at the end of the stream. Its state are its variables. */
export interface Step<In, Out> {
  take(value: In): Iterable<Out>;
  /** What is still owed when the stream completes; after an error nobody asks. */
  end?(): Iterable<Out>;
}

/**
 * An operator from a step of plain code. Each subscription begins afresh; what a step throws becomes the error of the
 * stream; whoever unsubscribes early stops the generator where it stands.
 *
 *   in    --1-----2-----3--|
 *         stateful(() => ({ *take(n) { yield n; yield n }, *end() { yield 0 } }))
 *   out   --(11)--(22)--(33)(0|)
 */
export const stateful =
  <In, Out>(begin: () => Step<In, Out>): OperatorFunction<In, Out> =>
  (source) =>
    // By hand and not from `mergeMap` and `concat`: those make an Observable of each value, which costs more than the step.
    new Observable((subscriber) => {
      const step = begin();
      /** @returns false where it failed */
      const give = (values: () => Iterable<Out>): boolean => {
        try {
          for (const value of values()) {
            subscriber.next(value);
            if (subscriber.closed) break;
          }
          return true;
        } catch (error) {
          subscriber.error(error);
          return false;
        }
      };
      return source.subscribe({
        next: (value) => void give(() => step.take(value)),
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          if (give(() => step.end?.() ?? [])) subscriber.complete();
        },
      });
    });

/**
 * An operator on blocks whose step knows no gaps: a gap, a change of rate or of channels and a step back in time end
 * the step and begin another.
 *
 *   blocks   --[0 1]--[2 3]----[7 8]--|       4 … 6 are missing
 *   steps    begin----------end begin-end
 */
export const perGaplessRun = <Out>(
  begin: (first: SampleBlock) => Step<SampleBlock, Out>,
): OperatorFunction<SampleBlock, Out> =>
  stateful(() => {
    let open: Step<SampleBlock, Out> | undefined;
    let last: SampleBlock | undefined;
    return {
      *take(block) {
        if (open !== undefined && !follows(last!, block)) {
          const ended = open;
          open = undefined;
          if (ended.end) yield* ended.end();
        }
        open ??= begin(block);
        last = block;
        yield* open.take(block);
      },
      *end() {
        if (open?.end) yield* open.end();
      },
    };
  });
