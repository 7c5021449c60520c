import { devicesOf } from "../../models/crossbar/columns.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Tile } from "../../models/crossbar/tile.ts";
import { addCosts, type Cost, noCost, times } from "./costs.ts";
import type { LivingChip } from "./living-chip.ts";
import { verifyOf } from "./mending.ts";
import { type Repair, repair } from "./self-test.ts";

/** What a step that writes took. */
export type WritingCost = Cost & { readonly pulses: number };

/**
 * Read every device of the chip, and mend what can be mended; to `trim` a chip that was just programmed, write all devices
 * that verified writes would leave closer. @returns also the stuck devices of each tile, and how many outputs moved
 */
export const selfTest = (
  chip: LivingChip,
  how: "mend" | "trim" = "mend",
): WritingCost & { readonly stuck: readonly (readonly number[])[]; readonly moved: number } => {
  const moment = Math.round(chip.network.atSeconds * 1000);
  let [cost, written, moved]: [Cost, WriteCount, number] = [noCost, noWrites, 0];
  const stuck: (readonly number[])[] = [];
  const touched = chip.tiles.filter(({ is }) => {
    const found = repair(is, chip.plan.device, moment, how);
    cost = addCosts(cost, costOfRepair(chip, is, found));
    written = addWrites(written, found.written);
    stuck.push(found.stuck);
    moved += found.moved;
    return found.written.pulses > 0;
  });
  if (touched.length > 0) chip.wrote(touched, "devices");
  const count = stuck.reduce((sum, devices) => sum + devices.length, 0);
  chip.learn({
    stuckDevices: Math.max(count, chip.knowledge.stuckDevices),
    ...(how === "trim" && { isTrimmed: true }),
  });
  return { ...withWrites(cost, written), stuck, moved };
};

/** Write the tiles anew whose weights are furthest off, a part of them all, and self-test them. */
export const rewriteTiles = (chip: LivingChip, part: number): WritingCost => {
  const { device } = chip.plan;
  const moment = Math.round(chip.network.atSeconds * 1000) + 1;
  let [cost, written]: [Cost, WriteCount] = [noCost, noWrites];
  const ranked = chip.tiles
    .map((tile) => ({ tile, off: part < 1 ? relativeError(tile.is, moment) : 0 }))
    .sort((a, b) => b.off - a.off)
    .slice(0, Math.ceil(part * chip.tiles.length))
    .map(({ tile }) => tile);
  if (part < 1) cost = chip.costs.oneHot;
  for (const { is } of ranked) {
    written = addWrites(written, is.rewrite("all", verifyOf(device), is.targetsSiemens("weights")));
    const found = repair(is, device, moment);
    cost = addCosts(cost, chip.costs.response(is.place.outputs, is.place.inputs), costOfRepair(chip, is, found));
    written = addWrites(written, found.written);
  }
  chip.wrote(ranked, "tiles");
  if (part === 1) chip.learn({ isTrimmed: true });
  return withWrites(cost, written);
};

const costOfRepair = ({ costs }: LivingChip, { place }: Tile, { readings, responses }: Repair): Cost =>
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

const withWrites = (cost: Cost, { pulses, seconds, joules }: WriteCount): WritingCost => ({
  ...addCosts(cost, { reads: 0, seconds, joules }),
  pulses,
});
