import type { Gauge } from "prom-client";
import type { ChipBank } from "../upkeep/chip-bank.ts";
import type { ChipHealth } from "../upkeep/health.ts";

/** Adds a gauge that is filled when it is asked for. */
export type AddGauge = (
  name: string,
  help: string,
  labelNames: readonly string[],
  collect: (gauge: Gauge) => void,
) => void;

/** How the chips are, a series a model. */
export const chipMetrics = (chips: ChipBank, add: AddGauge): void => {
  const gauge = (name: string, help: string, value: (health: ChipHealth) => number | undefined): void =>
    add(name, help, ["model"], (g) => {
      g.reset();
      for (const health of chips.health) {
        const known = value(health);
        if (known !== undefined) g.set({ model: health.model }, known);
      }
    });
  gauge("chip_age_seconds", "Chip time since tiles were last written.", (h) => h.ageSeconds);
  gauge("calibration_age_seconds", "Chip time since the last calibration.", (h) => h.sinceCalibrationSeconds);
  gauge("chip_temperature_celsius", "Temperature that the chip is taken to have.", (h) => h.celsius);
  gauge("chip_temperature_heard", "0 where the configured constant is taken for it.", (h) =>
    h.celsiusFrom === "constant" ? 0 : 1,
  );
  gauge("drift_residual_ratio", "1 over the mean drift compensation: what drift has left.", (h) => 1 / h.alpha.mean);
  gauge("chip_risk_ratio", "Answers expected to differ from the digital network's.", (h) => h.risk);
  gauge("chip_risk_error_ratio", "Standard error of that.", (h) => h.riskError);
  gauge("chip_stuck_devices", "Devices that do not follow their writes.", (h) => h.stuckDevices);
  gauge("chip_spare_tiles", "Spare tiles that a tile may still move to.", ({ spares }) =>
    spares.tiles === 0 ? undefined : spares.tiles - spares.inUse.length - spares.spent.length,
  );
  gauge("chip_pulses_per_device", "Mean pulses that a device has had: wear.", (h) => h.pulses.mean);
  gauge("chip_has_learned", "1 where the last layer was changed by learning in place.", (h) => (h.hasLearned ? 1 : 0));
  gauge("chip_may_answer", "0 where the chip is too far from its network to answer.", (h) => (h.mayAnswer ? 1 : 0));
};
