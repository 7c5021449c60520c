import type { MonoTypeOperatorFunction } from "rxjs";
import type { OnDrop } from "../dropped.ts";
import { rowsOf } from "../event-time.ts";
import type { SampleBlock } from "../signal.ts";
import { stateful } from "./stateful.ts";

const remembered = 64; // numbers of blocks gone by, to know repeats from late ones

/** Settings of {@link orderBySequence}. */
export interface OrderBySequenceSettings {
  /** Blocks held back, at most, while one before them is missing. */
  readonly windowBlocks: number;
  readonly onDrop?: OnDrop | undefined;
}

/**
 * Put blocks that their sender numbered in the order of the numbers, and drop repeats; whatever the sender's clock says.
 * Blocks without a number pass.
 *
 *   blocks   --0--1--3--2--2--4--|
 *            orderBySequence({ windowBlocks: 2 })
 *   blocks   --0--1-----23----4--|       the second 2 is dropped as repeated
 *
 * Behind a hole at most `windowBlocks` blocks wait, then the hole counts as a gap; what comes later is dropped as `late`.
 * Another session begins afresh.
 */
export const orderBySequence = ({
  windowBlocks,
  onDrop,
}: OrderBySequenceSettings): MonoTypeOperatorFunction<SampleBlock> =>
  stateful(() => {
    const waiting: SampleBlock[] = [];
    let gone: number[] = [];
    let session: string | undefined;

    function* release(limit: number) {
      while (waiting.length > 0) {
        const { number } = waiting[0]!.sequence!;
        const last = gone.at(-1);
        if (waiting.length <= limit && last !== undefined && number > last + 1) return;
        gone.push(number);
        if (gone.length > remembered) gone.shift();
        yield waiting.shift()!;
      }
    }
    return {
      *take(block) {
        const { sequence } = block;
        if (sequence === undefined) {
          yield* release(0);
          yield block;
          return;
        }
        if (sequence.session !== session) {
          yield* release(0);
          session = sequence.session;
          gone = [];
        }
        const { number } = sequence;
        if (gone.includes(number) || waiting.some((w) => w.sequence!.number === number)) {
          onDrop?.("repeated", rowsOf(block));
        } else if (number < (gone.at(-1) ?? number)) {
          onDrop?.("late", rowsOf(block));
        } else {
          waiting.push(block);
          waiting.sort((a, b) => a.sequence!.number - b.sequence!.number);
          yield* release(windowBlocks);
        }
      },
      *end() {
        yield* release(0);
      },
    };
  });
