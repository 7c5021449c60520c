import type { OperatorFunction } from "rxjs";
import type { OnDrop } from "../dropped.ts";
import { endOf, rowsOf, toleranceNs } from "../event-time.ts";
import type { SampleBlock } from "../signal.ts";
import { stateful } from "./stateful.ts";

const remembered = 64; // stamps of blocks gone by, to know repeats from a clock set back

/** Settings of {@link reorder}. */
export interface ReorderSettings {
  /** Blocks held back, at most, while one before them is missing; 0 … 64. */
  readonly windowBlocks: number;
  readonly onDrop?: OnDrop | undefined;
}

/**
 * Put blocks back in the order of their event time and drop repeats. In order, nothing waits; behind a hole at most
 * `windowBlocks` blocks do, then the hole counts as a gap.
 *
 *   blocks   --0--1--3--2--2--4--|
 *            reorder({ windowBlocks: 2 })
 *   blocks   --0--1-----23----4--|       the second 2 is dropped as repeated
 *
 * Stamps may be off by half a sample or 5 ms, and never by more than half a block, before that looks like a hole.
 * A block from before what was emitted is dropped as `late`, what merely overlaps loses its overlap. When more than
 * `windowBlocks` late blocks come that are no repeats, the sender's clock was set back: the stream goes on from there.
 * Blocks without samples, with a rate that is no positive number or with half rows are dropped as `malformed`.
 *
 * @throws RangeError at once unless windowBlocks is an integer in 0 … 64
 */
export const reorder = ({ windowBlocks, onDrop }: ReorderSettings): OperatorFunction<SampleBlock, SampleBlock> => {
  if (!(Number.isInteger(windowBlocks) && windowBlocks >= 0 && windowBlocks <= 64)) {
    throw new RangeError(`windowBlocks: expected an integer in 0 … 64, got ${windowBlocks}`);
  }
  return stateful(() => {
    const waiting: SampleBlock[] = [];
    const gone = new Set<bigint>();
    let late = 0;
    let last: SampleBlock | undefined;

    function* emit(block: SampleBlock) {
      gone.add(block.startAtNs);
      if (gone.size > remembered) gone.delete(gone.values().next().value!);
      const fresh = last === undefined ? block : withoutOverlap(last, block);
      if (fresh === undefined) {
        onDrop?.("late", rowsOf(block));
        return;
      }
      last = fresh;
      yield fresh;
    }
    function* due() {
      while (waiting.length > 0 && (waiting.length > windowBlocks || !leavesHole(last, waiting[0]!))) {
        yield* emit(waiting.shift()!);
      }
    }
    return {
      *take(block) {
        if (!isWellFormed(block)) {
          onDrop?.("malformed", Math.floor(rowsOf(block)) || 0);
          return;
        }
        if (gone.has(block.startAtNs) || waiting.some((w) => w.startAtNs === block.startAtNs)) {
          onDrop?.("repeated", rowsOf(block));
          return;
        }
        if (last !== undefined && block.startAtNs < last.startAtNs - orderToleranceNs(block)) {
          late++;
          if (late <= windowBlocks) {
            onDrop?.("late", rowsOf(block));
            return;
          }
          for (const old of waiting.splice(0)) yield* emit(old);
          last = undefined;
        }
        late = 0;
        waiting.push(block);
        if (waiting.length > 1) waiting.sort((a, b) => (a.startAtNs < b.startAtNs ? -1 : 1));
        yield* due();
      },
      *end() {
        for (const block of waiting.splice(0)) yield* emit(block);
      },
    };
  });
};

const isWellFormed = ({ sampleRateHz, channels, samples }: SampleBlock): boolean =>
  sampleRateHz > 0 &&
  sampleRateHz <= 1e7 &&
  channels.length > 0 &&
  samples.length > 0 &&
  samples.length % channels.length === 0;

/** Blocks shorter than a sender's jitter have an order too: stamps may be off by half a block at most. */
const orderToleranceNs = (block: SampleBlock): bigint => {
  const halfBlock = (endOf(block) - block.startAtNs) / 2n;
  const tolerance = toleranceNs(block.sampleRateHz);
  return halfBlock < tolerance ? halfBlock : tolerance;
};

const leavesHole = (last: SampleBlock | undefined, next: SampleBlock): boolean =>
  last !== undefined && next.startAtNs - endOf(last) > orderToleranceNs(next);

/** The part of `block` after the end of `last`; undefined where nothing is left. */
const withoutOverlap = (last: SampleBlock, block: SampleBlock): SampleBlock | undefined => {
  const overlapNs = endOf(last) - block.startAtNs;
  if (overlapNs <= toleranceNs(block.sampleRateHz)) return block;
  const rows = Math.round((Number(overlapNs) * block.sampleRateHz) / 1e9);
  if (rows >= rowsOf(block)) return undefined;
  return { ...block, startAtNs: endOf(last), samples: block.samples.slice(rows * block.channels.length) };
};
