import type { OperatorFunction } from "rxjs";
import type { OnDrop } from "../dropped.ts";
import { rowsOf } from "../event-time.ts";
import type { SampleBlock } from "../signal.ts";
import { stateful } from "./stateful.ts";

/**
 * Keep the channels that a model takes: by name where the block has them all, else the first ones.
 *
 *   blocks   --[MLII V1]--[MLII V1]--|
 *            selectChannels(["MLII"])
 *   blocks   --[MLII]-----[MLII]-----|
 *
 * A block with too few channels is dropped, reason `channels`.
 */
export const selectChannels = (
  wanted: readonly string[],
  onDrop?: OnDrop,
): OperatorFunction<SampleBlock, SampleBlock> =>
  stateful(() => ({
    take: (block) => {
      const { channels } = block;
      if (channels.length < wanted.length) {
        onDrop?.("channels", rowsOf(block));
        return [];
      }
      const named = wanted.map((name) => channels.indexOf(name));
      const columns = named.includes(-1) ? wanted.map((_, i) => i) : named;
      return columns.length === channels.length && columns.every((column, i) => column === i)
        ? [block]
        : [{ ...block, channels: columns.map((c) => channels[c]!), samples: picked(block, columns) }];
    },
  }));

const picked = (block: SampleBlock, columns: readonly number[]): Float32Array => {
  const out = new Float32Array(rowsOf(block) * columns.length);
  for (let i = 0; i < out.length; i++) {
    const row = Math.floor(i / columns.length);
    out[i] = block.samples[row * block.channels.length + columns[i % columns.length]!]!;
  }
  return out;
};
