import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { columnReuse } from "../../bench/column-reuse.ts";
import { parseModel } from "../../models/load.ts";
import type { Node } from "../../models/network/graph.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));

/** Frames that a column needs: from `first + stride · column` to `last + stride · column`. */
interface Field {
  readonly first: number;
  readonly last: number;
  readonly stride: number;
}

/** Fields of all values by the arithmetic of kernels, strides and padding. */
const fieldsOf = (nodes: readonly Node[], input: string): Map<string, Field> => {
  const fields = new Map<string, Field>([[input, { first: 0, last: 0, stride: 1 }]]);
  for (const node of nodes) {
    const inputs = node.inputs.map((name) => fields.get(name)!);
    if (inputs.some((field) => field === undefined)) continue;
    const [x] = inputs as [Field];
    if (node.kind === "conv") {
      const first = x.first - node.padding[1] * x.stride;
      const last = x.last + (node.kernel[1] - 1 - node.padding[1]) * x.stride;
      fields.set(node.output.name, { first, last, stride: x.stride * node.stride[1] });
    } else {
      const first = Math.min(...inputs.map((field) => field.first));
      fields.set(node.output.name, { first, last: Math.max(...inputs.map((field) => field.last)), stride: x.stride });
    }
  }
  return fields;
};

describe("Columns of keywords-12 that the windows before hold already", () => {
  const { graph, manifest } = parseModel(read("models/zoo/keywords-12/model.onnx"));
  const hopFrames = manifest.input.hopSamples / (manifest.input.features["hopSamples"] as number);
  const frames = manifest.input.shape[1]!;
  const layers = columnReuse(graph, hopFrames);

  it("are those whose frames lie inside both windows, at strides that divide the hops between", () => {
    const fields = fieldsOf(graph.nodes, graph.input.name);
    for (const { node: name, columns, reused } of layers.filter(({ columns }) => columns > 1)) {
      const node = graph.nodes.find((n) => n.name === name)!;
      const { first, last, stride } = fields.get(node.output.name)!;
      const hops = [...Array(4).keys()].map((k) => (k + 1) * hopFrames).find((shift) => shift % stride === 0)!;
      const inside = [...Array(columns).keys()].filter(
        (c) => first + c * stride >= 0 && last + c * stride + hops < frames,
      );
      expect([name, reused]).toEqual([name, inside.length]);
    }
  });

  it("are none of the last block, and 29.5 % of all products: as the decision says", () => {
    const all = layers.reduce((sum, layer) => sum + layer.multiplyAccumulates, 0);
    const saved = layers.reduce((sum, layer) => sum + (layer.multiplyAccumulates / layer.columns) * layer.reused, 0);
    expect(layers.filter(({ stride }) => stride >= 8).map(({ reused }) => reused)).toEqual([0, 0, 0, 0]);
    expect([all, saved]).toEqual([5_712_768, 1_684_992]);
    const decision = read("docs/decisions/0015-no-columns-of-windows-before.md").toString();
    expect(decision).toContain(`${((100 * saved) / all).toFixed(1)} %`);
  });
});
