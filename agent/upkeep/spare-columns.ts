import { columnIn, devicesOf } from "../../models/crossbar/columns.ts";
import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Tile } from "../../models/crossbar/tile.ts";
import { alphaByDevice, type Held, lossIn, makeUpFor, stuckPart, verifyOf, weightsOfOutput } from "./mending.ts";

/** What moving outputs to spare columns took. */
export interface Moves {
  readonly moved: number;
  /** Stuck devices of spare columns that are in use now, by number. */
  readonly stuck: readonly number[];
  readonly written: WriteCount;
  readonly readings: number;
  readonly responses: number;
}

const noMoves: Moves = { moved: 0, stuck: [], written: noWrites, readings: 0, responses: 0 };

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
  const tested = testOf(
    tile,
    device,
    [...spares].flatMap((spare) => [...columnOf(spare)]),
    moment,
  );
  let [written, responses, moved] = [tested.written, 4, 0];
  const stuck: number[] = [];
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
    stuck.push(...mine.keys());
    responses += 4;
    moved++;
  }
  return { moved, stuck, written, readings: 2, responses };
};

/** Write devices high and low, and read what they make of it. */
const testOf = (
  tile: Tile,
  device: DeviceModel,
  devices: readonly number[],
  moment: number,
): { readonly held: Held; readonly written: WriteCount } => {
  const { gMinSiemens, gMaxSiemens } = device;
  const held = new Map<number, number>();
  let written = noWrites;
  for (const [turn, siemens] of [gMaxSiemens, gMinSiemens].entries()) {
    const aims = devices.map(() => siemens);
    written = addWrites(written, tile.rewrite(devices, verifyOf(device), aims));
    const readings = tile.readDevices(moment + turn);
    for (const d of devices) {
      const isOff = Math.abs(readings[d]! - siemens) > stuckPart * (gMaxSiemens - gMinSiemens);
      if (isOff) held.set(d, readings[d]!);
    }
  }
  return { held, written };
};
