import type { OperatorFunction } from "rxjs";
import type { OnDrop, OnRepair } from "../dropped.ts";
import { RowBuffer } from "../dsp/row-buffer.ts";
import { Timeline } from "../event-time.ts";
import type { SampleBlock } from "../signal.ts";
import { perGaplessRun } from "./stateful.ts";

/** Settings of {@link sanitise}. */
export interface SanitiseSettings {
  /** Longest run of NaN or ±∞ that is interpolated, samples ≥ 0. */
  readonly maxRunSamples: number;
  readonly onDrop?: OnDrop | undefined;
  readonly onRepair?: OnRepair | undefined;
}

/**
 * Free a stream from NaN and ±∞: short runs are bridged by straight lines, channel by channel; where a run is longer
 * all its rows are left out, which makes a gap.
 *
 *   blocks   --[0 NaN 2]--[NaN NaN]--[NaN 6]--|
 *            sanitise({ maxRunSamples: 2 })
 *   blocks   --[0 1 2]---------------[6]------|
 *
 * A run at the end of a block waits for the next. Runs at either end of a gapless stretch have nothing to hold on to
 * and are left out.
 */
export const sanitise = ({
  maxRunSamples,
  onDrop,
  onRepair,
}: SanitiseSettings): OperatorFunction<SampleBlock, SampleBlock> =>
  perGaplessRun((first) => {
    const width = first.channels.length;
    const held = new RowBuffer(width);
    const time = new Timeline(first.sampleRateHz);
    let done = 0; // rows before it are emitted or left out; one good row before it is kept to draw lines from
    let anchored = false; // whether row `done − 1` is good

    function* emit(to: number) {
      if (to <= done) return;
      yield { ...first, startAtNs: time.at(done), samples: held.view(done, to).slice() };
      done = to;
      anchored = true;
    }
    function* work(final: boolean) {
      for (let row = done; row < held.end; row++) {
        if (areFinite(held.view(row, row + 1))) continue;
        let end = row + 1;
        while (end < held.end && !areFinite(held.view(end, end + 1))) end++;
        const open = end === held.end && !final;
        if (open && end - row <= maxRunSamples) {
          yield* emit(row);
          break;
        }
        const from = row > done || anchored ? row - 1 : -1;
        if (end - row <= maxRunSamples && end < held.end && from >= 0) {
          bridge(held.view(from, end + 1), width);
          onRepair?.("not-finite", end - row);
        } else {
          yield* emit(row);
          onDrop?.("not-finite", end - row);
          done = end;
          anchored = false;
        }
        row = end - 1;
      }
      if (!final && done < held.end && !areFinite(held.view(held.end - 1, held.end))) {
        held.dropBefore(done - 1);
        return;
      }
      yield* emit(held.end);
      held.dropBefore(done - 1);
    }
    return {
      *take(block) {
        time.pin(held.end, block.startAtNs);
        if (done === held.end && areFinite(block.samples)) {
          held.append(block.samples);
          held.dropBefore(held.end - 1);
          done = held.end;
          anchored = true;
          yield block;
          return;
        }
        held.append(block.samples);
        yield* work(false);
      },
      *end() {
        yield* work(true);
      },
    };
  });

const areFinite = (values: Float32Array): boolean => {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
};

/** Draw lines over what is not finite, from the first row to the last, in place; both are finite. */
const bridge = (rows: Float32Array, width: number): void => {
  const count = rows.length / width;
  for (let c = 0; c < width; c++) {
    for (let row = 1, good = 0; row < count; row++) {
      if (!Number.isFinite(rows[row * width + c]!)) continue;
      const [a, b] = [rows[good * width + c]!, rows[row * width + c]!];
      for (let i = good + 1; i < row; i++) rows[i * width + c] = a + ((b - a) * (i - good)) / (row - good);
      good = row;
    }
  }
};
