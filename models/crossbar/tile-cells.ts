import { TileCells } from "./cells.ts";
import type { TileKey } from "./programming.ts";
import type { TileSpec } from "./tile-spec.ts";
import { copyCells, type TileState } from "./tile-state.ts";

/** In the names of random numbers the array of all spare tiles of a chip, which belong to none. */
export const spareArrayId = 65_535;

/** Names the random numbers of a tile's devices: its own, or those of the spare tile that it stands on. */
export const keyOfDevices = ({ seed, arrayId, index }: TileKey, spare: number | undefined): TileKey =>
  spare === undefined ? { seed, arrayId, index } : { seed, arrayId: spareArrayId, index: spare };

/**
 * The devices of a tile: as a state has them, or unwritten ones.
 * @param weightSiemens what each is to hold, S, by number  @param spare those of a spare tile of the chip
 */
export const cellsOf = (
  spec: TileSpec,
  weightSiemens: Float32Array,
  state: TileState | undefined,
  spare = state?.spare,
): TileCells => {
  const { shape, device, absent, slowNoise } = spec;
  const fresh = spare === undefined ? spec.faults : spec.spareFaults(spare);
  const [key, faults] = [keyOfDevices(spec, spare), state ? state.faults : fresh];
  const [written, targets] = [state && copyCells(state.cells), state?.targetsSiemens?.slice()];
  const cells = new TileCells(weightSiemens, shape, device, key, faults, absent, slowNoise, written, targets);
  if (state?.weightSiemens) cells.teach(state.weightSiemens.keys(), state.weightSiemens);
  return cells;
};
