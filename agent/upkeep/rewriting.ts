import { devicesOf } from "../../models/crossbar/columns.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Tile } from "../../models/crossbar/tile.ts";
import type { TileName } from "../store/chip-record.ts";
import { addCosts, type Cost, noCost, times } from "./costs.ts";
import type { LivingChip } from "./living-chip.ts";
import { meanAlpha, verifyOf } from "./mending.ts";
import { type Repair, repair } from "./self-test.ts";

/** What a step that writes took. */
export type WritingCost = Cost & { readonly pulses: number };

/** A tile that was self-tested: its stuck devices, by number, and the part of its weights, in squares, that it does not hold. */
export interface TestedTile extends TileName, Pick<Repair, "stuck" | "lost"> {
  readonly is: Tile;
}

/** A tile whose drift compensation is so far from 1 did not only drift: it is to be written as a whole before it is tested. */
const farthestAlpha = 1.5;

/**
 * Read every device of the chip, and mend what can be mended; to `trim` a chip that was just programmed, write all devices
 * that verified writes would leave closer. @returns also what was found of each tile, and how many outputs moved
 */
export const selfTest = (
  chip: LivingChip,
  how: "mend" | "trim" = "mend",
): WritingCost & { readonly tested: readonly TestedTile[]; readonly moved: number } => {
  const moment = Math.round(chip.network.atSeconds * 1000);
  let [cost, written, moved]: [Cost, WriteCount, number] = [noCost, noWrites, 0];
  const tested: TestedTile[] = [];
  const touched = chip.tiles.filter((tile) => {
    const { is } = tile;
    if (isOutOfLine(is)) return false;
    const found = repair(is, chip.plan.device, moment, how);
    cost = addCosts(cost, costOfRepair(chip, is, found));
    written = addWrites(written, found.written);
    tested.push({ ...tile, stuck: found.stuck, lost: found.lost });
    moved += found.moved;
    return found.written.pulses > 0;
  });
  if (touched.length > 0) chip.wrote(touched, "devices");
  const count = tested.reduce((sum, { stuck }) => sum + stuck.length, 0);
  chip.learn({
    stuckDevices: Math.max(count, chip.knowledge.stuckDevices),
    ...(how === "trim" && { isTrimmed: true }),
  });
  return { ...withWrites(cost, written), tested, moved };
};

const isOutOfLine = (tile: Tile): boolean => {
  const mean = meanAlpha([tile]);
  return mean > farthestAlpha || mean < 1 / farthestAlpha;
};

/** Write the tiles anew whose weights are furthest off, a part of them all, and self-test them. */
export const rewriteTiles = (
  chip: LivingChip,
  part: number,
): WritingCost & { readonly tested: readonly TestedTile[] } => {
  const { device } = chip.plan;
  const moment = Math.round(chip.network.atSeconds * 1000) + 1;
  let [cost, written]: [Cost, WriteCount] = [noCost, noWrites];
  const ranked = chip.tiles
    .map((tile) => ({ tile, off: part < 1 ? relativeError(tile.is, moment) : 0 }))
    .sort((a, b) => b.off - a.off)
    .slice(0, Math.ceil(part * chip.tiles.length))
    .map(({ tile }) => tile);
  if (part < 1) cost = chip.costs.oneHot;
  const tested = ranked.map((tile): TestedTile => {
    const { is } = tile;
    written = addWrites(written, is.rewrite("all", verifyOf(device), is.targetsSiemens("weights")));
    const found = repair(is, device, moment);
    cost = addCosts(cost, chip.costs.response(is.place.outputs, is.place.inputs), costOfRepair(chip, is, found));
    written = addWrites(written, found.written);
    return { ...tile, stuck: found.stuck, lost: found.lost };
  });
  chip.wrote(ranked, "tiles");
  if (part === 1) chip.learn({ isTrimmed: true });
  return { ...withWrites(cost, written), tested };
};

/** What the reads of a self-test took. */
export const costOfRepair = (
  { costs }: LivingChip,
  { place }: Tile,
  { readings, responses }: Pick<Repair, "readings" | "responses">,
): Cost =>
  addCosts(
    times(readings, costs.device(place.outputs, place.inputs)),
    times(responses, costs.response(place.outputs, place.inputs)),
  );

/** Root mean square of what the weights of a tile are off by, as a part of the weights', by one-hot reads. */
const relativeError = (tile: Tile, moment: number): number => {
  const { alpha, place } = tile;
  const read = tile.readWeights(moment);
  const wanted = tile.targetsSiemens("weights");
  // In units of the wanted weights, which the readings have too but for one factor.
  const [is, should] = [new Float64Array(read.length), new Float64Array(read.length)];
  let [square, product, errors] = [0, 0, 0];
  for (let o = 0; o < place.outputs; o++) {
    const devices = devicesOf(tile.columnOf(o), tile.shape);
    for (let i = 0; i < place.inputs; i++) {
      const [at, plus] = [o * place.inputs + i, devices[2 * i]!];
      is[at] = alpha[o]! * read[at]!;
      should[at] = wanted[plus]! - wanted[plus + 1]!;
      square += should[at]! ** 2;
      product += is[at]! * should[at]!;
    }
  }
  const unit = square > 0 && product > 0 ? product / square : 1;
  for (let at = 0; at < is.length; at++) errors += (is[at]! / unit - should[at]!) ** 2;
  return square > 0 ? Math.sqrt(errors / square) : 0;
};

/** What reads and writes took together. */
export const withWrites = (cost: Cost, { pulses, seconds, joules }: WriteCount): WritingCost => ({
  ...addCosts(cost, { reads: 0, seconds, joules }),
  pulses,
});
