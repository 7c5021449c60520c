import { columnIn, devicesOf } from "../../models/crossbar/columns.ts";
import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Tile } from "../../models/crossbar/tile.ts";
import {
  alphaByDevice,
  type Held,
  lossIn,
  makeUpFor,
  stuckAmong,
  stuckPart,
  verifyOf,
  weightsOfOutput,
} from "./mending.ts";

/** What moving outputs to spare columns took. */
export interface Moves {
  readonly moved: number;
  /** Held devices of spare columns that are in use now. */
  readonly held: Held;
  readonly written: WriteCount;
  readonly readings: number;
  readonly responses: number;
}

const noMoves: Moves = { moved: 0, held: new Map(), written: noWrites, readings: 0, responses: 0 };

/** An output moves where a spare column loses so much less of its weights, in squares. */
const worthwhile = 0.5;

/**
 * Give outputs whose weights stuck devices keep from being held a spare column each, where one holds them better:
 *
 *   1. write all free spare columns high, read them, write them low, read them: what does not follow is stuck, and where
 *   2. the output that loses most takes the spare that would lose least of its weights, if that is half or less
 *   3. there partners make up for stuck devices, too
 *
 * Nothing depends on a spare column while it is tested.
 *
 * @param held devices of the tile that no write moves
 * @param moment tells the two reads apart from others: it and the next
 */
export const moveToSpares = (tile: Tile, device: DeviceModel, held: Held, moment: number): Moves => {
  const range = device.gMaxSiemens - device.gMinSiemens;
  const wanted = tile.targetsSiemens("weights");
  const heldColumns = new Set([...held.keys()].map((d) => columnIn(tile.shape, d)));
  const lossy = Array.from(tile.alpha.keys())
    .filter((output) => heldColumns.has(tile.columnOf(output)))
    .map((output) => ({
      output,
      loss: lossIn(devicesOf(tile.columnOf(output), tile.shape), weightsOfOutput(tile, output, wanted), held, device),
    }))
    .filter(({ loss }) => loss > (stuckPart * range) ** 2)
    .sort((a, b) => b.loss - a.loss);
  const spares = new Set(tile.freeSpares);
  if (lossy.length === 0 || spares.size === 0) return noMoves;

  const columnOf = (spare: number) => devicesOf(tile.place.outputs + spare, tile.shape);
  const tested = stuckAmong(
    [...spares].flatMap((spare) => [...columnOf(spare)]),
    device,
    {
      write: (devices, siemens) =>
        tile.rewrite(devices, verifyOf(device), new Float32Array(devices.length).fill(siemens)),
      read: (turn) => tile.readDevices(moment + turn),
    },
  );
  let [written, responses, moved] = [tested.written, 4, 0];
  const taken = new Map<number, number>();
  for (const { output, loss } of lossy) {
    const weights = weightsOfOutput(tile, output, wanted);
    const losses = [...spares].map((spare) => ({ spare, loss: lossIn(columnOf(spare), weights, tested.held, device) }));
    const best = losses.reduce((a, b) => (b.loss < a.loss ? b : a), { spare: -1, loss: worthwhile * loss });
    if (best.spare < 0) continue;
    spares.delete(best.spare);
    written = addWrites(written, tile.useSpare(output, best.spare, verifyOf(device)));
    const mine = new Map(
      [...columnOf(best.spare)].flatMap((d) => (tested.held.has(d) ? [[d, tested.held.get(d)!]] : [])),
    );
    const { devices, siemens } = makeUpFor(mine, tile.targetsSiemens("weights"), alphaByDevice(tile));
    written = addWrites(written, tile.rewrite(devices, verifyOf(device), siemens));
    for (const [d, siemens] of mine) taken.set(d, siemens);
    responses += 4;
    moved++;
  }
  return { moved, held: taken, written, readings: 2, responses };
};
