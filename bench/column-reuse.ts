import { DigitalNetwork } from "../models/network/digital.ts";
import type { Graph, Node } from "../models/network/graph.ts";
import { isWeighted, rowsOf } from "../models/network/parts.ts";
import { SequentialRandom } from "../models/random.ts";

/** What of a layer the windows before have computed already. */
export interface LayerReuse {
  readonly node: string;
  /** Frames of the input between two columns. */
  readonly stride: number;
  readonly columns: number;
  /** Columns that are, bit for bit, columns of a window one or more hops before. */
  readonly reused: number;
  readonly multiplyAccumulates: number;
}

/**
 * Of each layer with weights of a network of temporal convolutions, the columns that a window shares with those that began one
 * hop, two hops … before: found by running the network up to that layer on windows of a stream of noise.
 *
 * @param graph `[1, frames, bands]` in
 */
export const columnReuse = (graph: Graph, hopFrames: number): readonly LayerReuse[] => {
  const [, frames = 0, bands = 0] = graph.input.shape;
  const hops = Math.ceil(frames / hopFrames) - 1;
  const random = new SequentialRandom(1);
  const stream = Float32Array.from({ length: (frames + hops * hopFrames) * bands }, () => random.gaussian());
  return graph.nodes.flatMap((node, i): LayerReuse[] => {
    if (!isWeighted(node)) return [];
    const network = new DigitalNetwork(upTo(graph, node, i), { kernel: "simd" });
    const windows = Array.from({ length: hops + 1 }, (_, hop) => {
      const out = new Float32Array(node.output.shape.reduce((a, b) => a * b, 1));
      const from = hop * hopFrames * bands;
      network.infer(stream.slice(from, from + frames * bands), out);
      return out;
    });
    const columns = rowsOf(node);
    const channels = node.bias.length;
    const stride = 2 ** Math.round(Math.log2(frames / columns));
    const column = (hop: number, c: number) => windows[hop]!.subarray(c * channels, (c + 1) * channels);
    const isShared = (c: number): boolean =>
      windows.some((_, hop) => {
        const before = c + ((hops - hop) * hopFrames) / stride;
        if (hop === hops || !Number.isInteger(before) || before >= columns) return false;
        return column(hop, before).every((y, k) => y === column(hops, c)[k]);
      });
    const reused = Array.from({ length: columns }, (_, c) => c).filter(isShared).length;
    return [{ node: node.name, stride, columns, reused, multiplyAccumulates: columns * node.weights.length }];
  });
};

const upTo = (graph: Graph, { output }: Node, index: number): Graph => {
  const needed = new Set([output.name]);
  const backwards = graph.nodes
    .slice(0, index + 1)
    .reverse()
    .filter((node) => {
      if (!needed.has(node.output.name)) return false;
      for (const name of node.inputs) needed.add(name);
      return true;
    });
  return { ...graph, nodes: backwards.reverse(), output };
};
