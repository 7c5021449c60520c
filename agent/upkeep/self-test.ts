import type { DeviceModel } from "../../models/crossbar/devices/device.ts";
import { addWrites, noWrites, type WriteCount } from "../../models/crossbar/programming.ts";
import type { Tile } from "../../models/crossbar/tile.ts";

/** What a self-test of a tile found and mended. */
export interface Repair {
  /** Devices that a write does not move, by number. */
  readonly stuck: readonly number[];
  readonly written: WriteCount;
  /** How often every device was read. */
  readonly readings: number;
}

/** Weights that are off by so much of the range of a device, and by so many typical deviations of their tile, are suspect. */
const suspectPart = 0.05;
const suspectDeviations = 2.5;
/** A device that was just written and reads so much of its range off is stuck. */
const stuckPart = 0.07;
/** How a device is written anew: readings within so much of the range are accepted. */
export const verifyOf = ({ gMaxSiemens, gMinSiemens }: DeviceModel) => ({
  acceptanceSiemens: 0.02 * (gMaxSiemens - gMinSiemens),
  maxPulses: 10,
});

/**
 * Find weights of a tile that are far off, write them anew, and where a device does not follow let its partner make up
 * for it:
 *
 *   1. read all devices: a pair is suspect where |α (g⁺ − g⁻) − (W⁺ − W⁻)| is large, and larger than of others
 *   2. write both devices of suspects to W± / α, and read again: one that is still off is stuck
 *   3. its partner is written to  g_stuck ∓ (W⁺ − W⁻) / α, as far as its range goes
 *
 * W is what the weights say, α the drift compensation of the output. Reads go through the converter and have their
 * noise. Columns without an output are left out: nothing depends on them.
 *
 * @param moment tells the reads apart from those at other times: an integer ≥ 0
 */
export const repair = (tile: Tile, device: DeviceModel, moment: number): Repair => {
  const range = device.gMaxSiemens - device.gMinSiemens;
  const pairs = pairsOf(tile, tile.readDevices(2 * moment));
  const typical = 1.4826 * median(pairs.map(({ off }) => Math.abs(off)));
  const limit = Math.max(suspectPart * range, suspectDeviations * typical);
  const suspects = pairs.filter(({ off }) => Math.abs(off) > limit);
  if (suspects.length === 0) return { stuck: [], written: noWrites, readings: 1 };

  const wanted = tile.targetsSiemens("weights");
  const both = suspects.flatMap(({ plus }) => [plus, plus + 1]);
  const aims = suspects.flatMap(({ plus, alpha }) => [wanted[plus]! / alpha, wanted[plus + 1]! / alpha]);
  let written = tile.rewrite(both, verifyOf(device), aims);
  const targets = tile.targetsSiemens();
  const readings = tile.readDevices(2 * moment + 1);
  const stuck = both.filter((d) => Math.abs(readings[d]! - targets[d]!) > stuckPart * range);
  if (stuck.length === 0) return { stuck, written, readings: 2 };

  const isStuck = new Set(stuck);
  const partners = stuck.map((d) => d ^ 1).filter((d) => !isStuck.has(d));
  const alphaOf = new Map(suspects.map(({ plus, alpha }) => [plus, alpha]));
  const makeUp = partners.map((d) => {
    const plus = d & ~1;
    const weight = (wanted[plus]! - wanted[plus + 1]!) / alphaOf.get(plus)!;
    return d === plus ? readings[d ^ 1]! + weight : readings[d ^ 1]! - weight;
  });
  written = addWrites(written, tile.rewrite(partners, verifyOf(device), makeUp));
  return { stuck, written, readings: 2 };
};

/** A pair by its plus device, and how far its weight is off, S: α (g⁺ − g⁻) − (W⁺ − W⁻). */
interface Pair {
  readonly plus: number;
  readonly off: number;
  readonly alpha: number;
}

/** The pairs that outputs depend on. */
const pairsOf = (tile: Tile, readings: Float32Array): readonly Pair[] => {
  const wanted = tile.targetsSiemens("weights");
  return Array.from(tile.alpha).flatMap((alpha, output) => {
    const pairs: Pair[] = [];
    for (const plus of tile.columnOf(output).devices) {
      if (plus % 2 === 1) continue;
      const difference = alpha * (readings[plus]! - readings[plus + 1]!);
      pairs.push({ plus, alpha, off: difference - (wanted[plus]! - wanted[plus + 1]!) });
    }
    return pairs;
  });
};

const median = (values: readonly number[]): number => {
  const sorted = Float64Array.from(values).sort();
  return sorted.length === 0 ? 0 : sorted[sorted.length >> 1]!;
};
