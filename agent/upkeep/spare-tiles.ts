import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import { addWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { SpareTile } from "../../models/crossbar/spare-tile.ts";
import type { Tile } from "../../models/crossbar/tile.ts";
import { percent } from "../percent.ts";
import type { LivingChip } from "./living-chip.ts";
import { type Held, lostPart, stuckAmong, verifyOf } from "./mending.ts";
import { costOfRepair, type TestedTile, type WritingCost, withWrites } from "./rewriting.ts";
import { type Repair, repair } from "./self-test.ts";

/**
 * A tile moves to a spare one where stuck devices keep it from holding more than this part of its weights, in squares: it is
 * off by a seventh then, root mean square.
 */
const mostLost = 0.02;
/** It moves where the spare tile would lose less than this part of that. */
const worthwhile = 0.5;

/** What it took to try a spare tile, and to move there where that helps. */
export interface TileMove extends Omit<Repair, "moved"> {
  readonly hasMoved: boolean;
  /** Part of the weights that the spare tile would not hold, by its test. */
  readonly wouldLose: number;
}

/**
 * Try a spare tile of the chip for a tile whose stuck devices neither partners nor spare columns make up for:
 *
 *   1. write it high, read it, write it low, read it: what does not follow is stuck; nothing depends on it yet
 *   2. where it would lose less than half of what the tile loses, by partners that make up for stuck devices: write the
 *      weights there, as a new tile is programmed, and let the tile stand on it
 *   3. self-test it there: partners, and its own spare columns
 *
 * @param lost   part of the tile's weights that it does not hold, in squares
 * @param moment tells the reads apart from those at other times: an integer ≥ 0
 */
export const tryTile = (tile: Tile, spare: SpareTile, device: DeviceModel, lost: number, moment: number): TileMove => {
  const { held, written } = testOf(spare, device, moment);
  const ones = new Float64Array(tile.place.outputs).fill(1);
  const wouldLose = lostPart(tile, held, device, (output) => output, ones);
  if (wouldLose >= worthwhile * lost) {
    return { hasMoved: false, wouldLose, lost, stuck: [], written, readings: 2, responses: 0 };
  }
  const moved = tile.moveTo(spare, verifyOf(device));
  const { moved: _, ...found } = repair(tile, device, moment + 1);
  return {
    ...{ hasMoved: true, wouldLose, lost: found.lost, stuck: found.stuck },
    written: addWrites(addWrites(written, moved), found.written),
    readings: 2 + found.readings,
    responses: 1 + found.responses,
  };
};

/** Write all devices of a spare tile high and low, and read what they make of it. */
export const testOf = (
  spare: SpareTile,
  device: DeviceModel,
  moment: number,
): { readonly held: Held; readonly written: WriteCount } =>
  stuckAmong([...spare.cells.weightSiemens.keys()], device, {
    write: (devices, siemens) => spare.write(devices, siemens, verifyOf(device)),
    read: (turn) => spare.read(2 * moment + turn),
  });

/** Tiles that should move, the one that loses most first. */
export const brokenOf = (tested: readonly TestedTile[]): readonly TestedTile[] =>
  tested.filter(({ lost }) => lost > mostLost).sort((a, b) => b.lost - a.lost);

/** Spare tiles of a chip that no tile stands on and none was too bad to move to. */
export const freeSpares = ({ network, knowledge }: LivingChip): readonly number[] =>
  network.freeSpareTiles.filter((spare) => !knowledge.spentSpares.includes(spare));

/**
 * Try a spare tile of the chip for one that is broken: `tryTile`. One that is no better is not tried again, for no tile.
 * @returns what it took, whether the tile moved, and that in a sentence
 */
export const moveTile = (
  chip: LivingChip,
  broken: TestedTile,
  spare: number,
): WritingCost & { readonly hasMoved: boolean; readonly why: string } => {
  const { array, tile, is, lost, stuck } = broken;
  const moment = Math.round(chip.network.atSeconds * 1000) + 2;
  const tried = tryTile(is, is.spareTile(spare), chip.plan.device, lost, moment);
  const { hasMoved } = tried;
  const { spentSpares, stuckDevices } = chip.knowledge;
  if (hasMoved) {
    chip.wrote([{ array, tile }], "tiles");
    chip.learn({ stuckDevices: Math.max(0, stuckDevices - stuck.length) + tried.stuck.length });
  } else chip.learn({ spentSpares: [...spentSpares, spare] });
  const name = `${array}, tile ${tile}`;
  const so = hasMoved
    ? `It stands on spare tile ${spare} now, which lacks ${percent(tried.lost)}.`
    : `Spare tile ${spare} would lack ${percent(tried.wouldLose)}: it is not used.`;
  const why = `${name}: ${stuck.length} stuck devices keep it from holding ${percent(lost)} of its weights, in squares. ${so}`;
  return { ...withWrites(costOfRepair(chip, is, tried), tried.written), hasMoved, why };
};
