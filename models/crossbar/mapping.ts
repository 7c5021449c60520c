/** A piece of a weight matrix [outputs × inputs] that one tile holds. */
export interface TilePlace {
  readonly outputFrom: number;
  readonly outputs: number;
  readonly inputFrom: number;
  readonly inputs: number;
}

/** The devices of a tile: `crossbars` equal ones side by side, each of `columns` pairs of bit lines and `inputs` word lines. */
export interface CellsShape {
  readonly columns: number;
  readonly inputs: number;
  readonly crossbars: number;
}

/** Most outputs and most inputs of one tile: the size of published cores (Le Gallo 2023: 256 × 256 pairs). */
export const maxTileSide = 256;

/**
 * Cut a matrix [outputs × inputs] into tiles of at most `tileOutputs` × `tileInputs`, output tiles outer, input
 * tiles inner. The pieces of a side are equal but for one, so that no tile is a sliver: 300 inputs are 150 + 150.
 *
 * @throws RangeError unless all are integers ≥ 1 and the tile's sides ≤ 256
 */
export const tilesOf = (outputs: number, inputs: number, tileOutputs: number, tileInputs: number): TilePlace[] => {
  expectInteger("outputs", outputs, 1, 2 ** 24);
  expectInteger("inputs", inputs, 1, 2 ** 24);
  expectInteger("tileOutputs", tileOutputs, 1, maxTileSide);
  expectInteger("tileInputs", tileInputs, 1, maxTileSide);
  return cut(outputs, tileOutputs).flatMap(([outputFrom, tileRows]) =>
    cut(inputs, tileInputs).map(([inputFrom, tileColumns]) => ({
      outputFrom,
      outputs: tileRows,
      inputFrom,
      inputs: tileColumns,
    })),
  );
};

const cut = (length: number, most: number): [from: number, length: number][] => {
  const size = Math.ceil(length / Math.ceil(length / most));
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => [i * size, Math.min(size, length - i * size)]);
};

/** @throws RangeError `name: expected an integer in from … to, got value` */
export const expectInteger = (name: string, value: number, from: number, to: number): void => {
  if (!(Number.isInteger(value) && value >= from && value <= to)) {
    throw new RangeError(`${name}: expected an integer in ${from} … ${to}, got ${value}`);
  }
};
