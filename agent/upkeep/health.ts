import type { AnswerNoise } from "../../models/model.ts";
import type { LivingChip } from "./living-chip.ts";

/** How a chip is, as numbers to be shown. */
export interface ChipHealth {
  readonly model: string;
  readonly device: string;
  readonly seed: number;
  /** Chip time, age since the last write and since the last calibration, s at the reference temperature. */
  readonly chipSeconds: number;
  readonly ageSeconds: number;
  readonly sinceCalibrationSeconds: number | undefined;
  readonly celsius: number;
  readonly compensation: string;
  /** Drift compensation of all outputs: least, mean, most. */
  readonly alpha: { readonly min: number; readonly mean: number; readonly max: number };
  readonly noise: AnswerNoise | undefined;
  /** Part of the answers expected to differ from the digital network's, with its standard error. */
  readonly risk: number | undefined;
  readonly riskError: number | undefined;
  readonly stuckDevices: number;
  readonly devices: number;
  /** Pulses that devices have had: mean, and the one with most. */
  readonly pulses: { readonly mean: number; readonly most: number };
  readonly mayAnswer: boolean;
}

/** How a chip is now. */
export const healthOf = (chip: LivingChip): ChipHealth => {
  const { knowledge, network, plan } = chip;
  const alphas = chip.tiles.flatMap(({ is }) => [...is.alpha]);
  const { noise, risk, riskError, stuckDevices, mayAnswer, compensation, calibratedAtSeconds } = knowledge;
  return {
    model: chip.manifest.name,
    device: plan.device.name,
    seed: plan.seed,
    chipSeconds: network.atSeconds,
    ageSeconds: chip.ageSeconds,
    sinceCalibrationSeconds: calibratedAtSeconds === undefined ? undefined : network.atSeconds - calibratedAtSeconds,
    celsius: knowledge.time.celsius,
    compensation,
    alpha: {
      min: Math.min(...alphas),
      mean: alphas.reduce((a, b) => a + b, 0) / alphas.length,
      max: Math.max(...alphas),
    },
    ...{ noise, risk, riskError, stuckDevices, mayAnswer },
    ...chip.wear(),
  };
};
