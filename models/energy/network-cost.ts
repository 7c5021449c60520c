import type { CrossbarArray } from "../crossbar/array.ts";
import type { Mapping } from "../manifest.ts";
import { foldBatchNorm } from "../network/fold-batch-norm.ts";
import type { Graph, Node } from "../network/graph.ts";
import { isWeighted, partsOf, rowsOf } from "../network/parts.ts";
import { sizeOf } from "../tensor.ts";
import { type Activity, evenActivity } from "./activity.ts";
import { components, joulesAt } from "./components.ts";
import {
  addEnergy,
  biasWatts,
  type ChipDesign,
  checkDesign,
  type Energy,
  noEnergy,
  productEnergy,
  productSecondsOf,
  tileArea,
  total,
} from "./tile-cost.ts";

/** What one array of a layer, or a layer without weights, costs in one inference. The latter has no tiles and no area. */
export interface LayerCost {
  /** Of the array. */
  readonly name: string;
  readonly node: string;
  readonly kind: Node["kind"];
  readonly tiles: number;
  /** Products a tile does in one inference: the positions of a convolution. */
  readonly products: number;
  readonly multiplyAccumulates: number;
  readonly energyJoules: Energy;
  readonly latencySeconds: number;
  readonly areaSquareMetres: number;
}

export interface NetworkCost {
  readonly layers: readonly LayerCost[];
  readonly multiplyAccumulates: number;
  readonly energyJoules: Energy;
  /** One inference alone: layer after layer, the tiles of a layer at once. */
  readonly latencySeconds: number;
  readonly areaSquareMetres: number;
  /** 2 · multiply-accumulates / energy: operations a second for each watt. */
  readonly operationsPerJoule: number;
  /** Power of all converters left on between inferences, W. */
  readonly biasWatts: number;
}

/**
 * Energy, latency and area of one inference on a chip that holds every tile of the network.
 *
 * Each layer's tiles work at once, its products one after the other; a layer begins when the one before has ended.
 * Layers without weights cost a sum and a buffered value for each number they read; their time, like that of moving
 * values between layers, is taken to be hidden behind the products.
 *
 * @param arrays programmed arrays, as `AnalogNetwork` has them: their tiles are counted, with the conductances that they have
 * @param activity of the arrays' inputs, by name; what is missing counts as `evenActivity`
 * @throws RangeError as `checkDesign` does
 */
export const networkCost = (
  graph: Graph,
  mapping: Mapping,
  arrays: ReadonlyMap<string, CrossbarArray>,
  activity: ReadonlyMap<string, Activity>,
  design: ChipDesign,
): NetworkCost => {
  checkDesign(design);
  const folded = foldBatchNorm(graph);
  const sizes = new Map(
    [graph.input, ...folded.nodes.map((node) => node.output)].map((v) => [v.name, sizeOf(v.shape)]),
  );
  const layers = folded.nodes.flatMap((node): LayerCost[] => {
    if (isWeighted(node)) {
      return partsOf(node, rowsOf(node), mapping).flatMap((part) => {
        const rows = part.rows * part.runs;
        const array = arrays.get(part.name);
        if (array === undefined) return [];
        return [
          {
            name: part.name,
            node: node.name,
            kind: node.kind,
            products: rows,
            // On the diagonal of a depthwise layer each input has one weight.
            multiplyAccumulates: rows * (node.kind === "depthwise" ? part.inputs : part.weights.length),
            latencySeconds: rows * productSecondsOf(design),
            ...arrayCost(array, rows, activity.get(part.name) ?? evenActivity, design),
          },
        ];
      });
    }
    const read = node.inputs.reduce((sum, name) => sum + sizes.get(name)!, 0);
    const isFree = ["reshape", "relu", "relu6", "clip", "pad", "concat"].includes(node.kind); // with the bias, or by addresses
    return [
      {
        name: node.name,
        node: node.name,
        kind: node.kind,
        tiles: 0,
        products: 0,
        multiplyAccumulates: 0,
        energyJoules: isFree ? noEnergy : digitalEnergy(read, design),
        latencySeconds: 0,
        areaSquareMetres: 0,
      },
    ];
  });
  const sum = (of: (layer: LayerCost) => number): number => layers.reduce((all, layer) => all + of(layer), 0);
  const energyJoules = layers.reduce((all, layer) => addEnergy(all, layer.energyJoules), noEnergy);
  const multiplyAccumulates = sum((layer) => layer.multiplyAccumulates);
  const tiles = [...arrays.values()].flatMap((array) => array.tiles);
  return {
    layers,
    multiplyAccumulates,
    energyJoules,
    // The arrays of one layer work at once.
    latencySeconds: [...new Map(layers.map((layer) => [layer.node, layer.latencySeconds])).values()].reduce(
      (a, b) => a + b,
    ),
    areaSquareMetres: sum((layer) => layer.areaSquareMetres) + bufferArea([...sizes.values()]),
    operationsPerJoule: (2 * multiplyAccumulates) / total(energyJoules),
    biasWatts: tiles.reduce((all, { place }) => all + biasWatts(place.outputs, design), 0),
  };
};

const arrayCost = (array: CrossbarArray, rows: number, activity: Activity, design: ChipDesign) => {
  let energyJoules = noEnergy;
  let areaSquareMetres = 0;
  for (const tile of array.tiles) {
    const { outputs } = tile.place;
    // Word lines: of a depthwise layer each output has its own, of several crossbars each has all.
    const inputs = tile.place.inputs * (array.hasOwnInputs ? outputs : 1) * tile.shape.crossbars;
    const siemens = tile.totalSiemensAt(array.atSeconds);
    const work = { inputs, outputs, columns: outputs, pairs: tile.formedPairs, siemens, ...activity };
    energyJoules = addEnergy(energyJoules, productEnergy(work, design), rows);
    areaSquareMetres += tileArea(inputs, outputs, design);
  }
  return { tiles: array.tiles.length, energyJoules, areaSquareMetres };
};

const digitalEnergy = (values: number, { nodeNanometres: node }: ChipDesign): Energy => ({
  ...noEnergy,
  digital: values * joulesAt("add", node),
  buffers: values * 16 * joulesAt("bufferBit", node),
});

/** Two buffers of the largest value that travels between layers, 16 bits a number. */
const bufferArea = (sizes: readonly number[]): number => 2 * 16 * Math.max(...sizes) * components.bufferBitArea.value;
