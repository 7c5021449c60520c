import type { AnswerNoise } from "../../models/model.ts";
import type { StoredChip, TileName } from "../store/chip-record.ts";
import type { Knowledge, LivingChip } from "./living-chip.ts";
import { type Wear, wearOf } from "./wear.ts";

/** The spare tiles of a chip: how many there are, which tiles stand on one, and which were tried and are no better. */
export interface SpareTiles {
  readonly tiles: number;
  readonly inUse: readonly (TileName & { readonly spare: number })[];
  readonly spent: readonly number[];
}

/** How a chip is, as numbers to be shown. */
export interface ChipHealth extends Wear {
  readonly model: string;
  readonly device: string;
  readonly seed: number;
  /** Chip time, age since whole tiles were last written, time since the last calibration, s at the reference temperature. */
  readonly chipSeconds: number;
  readonly ageSeconds: number;
  readonly sinceCalibrationSeconds: number | undefined;
  readonly celsius: number;
  /** Where that comes from: `constant`, or the stream or topic that tells it. */
  readonly celsiusFrom: string;
  readonly compensation: string;
  /** Drift compensation of all outputs: least, mean, most. */
  readonly alpha: { readonly min: number; readonly mean: number; readonly max: number };
  readonly noise: AnswerNoise | undefined;
  /** Part of the answers expected to differ from the digital network's, with its standard error. */
  readonly risk: number | undefined;
  readonly riskError: number | undefined;
  readonly stuckDevices: number;
  readonly spares: SpareTiles;
  /** Whether its last layer is another than it was trained to, learned from labels. */
  readonly hasLearned: boolean;
  readonly mayAnswer: boolean;
}

/** How a chip is now. */
export const healthOf = (chip: LivingChip): ChipHealth =>
  healthFrom(
    chip.manifest.name,
    chip.knowledge,
    chip.network.atSeconds,
    chip.tiles.flatMap(({ is }) => [...is.alpha]),
    chip.wear(),
    chip.tiles.map(({ array, tile, is }) => ({ array, tile, spare: is.spare })),
  );

/** How a chip was when it was stored. */
export const healthOfStored = (model: string, { state, knowledge }: StoredChip<Knowledge>): ChipHealth => {
  const arrays = Object.entries(state.arrays);
  const tiles = arrays.flatMap(([array, { tiles }]) => tiles.map((is, tile) => ({ ...is, array, tile })));
  const alphas = tiles.flatMap(({ alpha }) => [...alpha]);
  return healthFrom(
    model,
    knowledge,
    arrays[0]?.[1].atSeconds ?? 0,
    alphas,
    wearOf(tiles.map(({ cells }) => cells.writes)),
    tiles,
  );
};

const healthFrom = (
  model: string,
  knowledge: Knowledge,
  atSeconds: number,
  alphas: readonly number[],
  wear: Wear,
  tiles: readonly (TileName & { readonly spare?: number | undefined })[],
): ChipHealth => {
  const { device, seed, compensation, calibratedAtSeconds, rewrittenAtSeconds, time } = knowledge;
  const { noise, risk, riskError, stuckDevices, mayAnswer } = knowledge;
  return {
    ...{ model, device, seed },
    chipSeconds: atSeconds,
    ageSeconds: atSeconds - rewrittenAtSeconds,
    sinceCalibrationSeconds: calibratedAtSeconds === undefined ? undefined : atSeconds - calibratedAtSeconds,
    celsius: time.celsius,
    celsiusFrom: knowledge.celsiusFrom ?? "constant",
    compensation,
    alpha: {
      min: Math.min(...alphas),
      mean: alphas.reduce((a, b) => a + b, 0) / alphas.length,
      max: Math.max(...alphas),
    },
    ...{ noise, risk, riskError, stuckDevices, mayAnswer },
    spares: {
      tiles: knowledge.spareTiles ?? 0, // chips stored by older versions do not say
      inUse: tiles.flatMap(({ array, tile, spare }) => (spare === undefined ? [] : [{ array, tile, spare }])),
      spent: knowledge.spentSpares ?? [],
    },
    hasLearned: knowledge.learned?.weights !== undefined,
    ...wear,
  };
};
