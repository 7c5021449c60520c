import { Gauge, type Registry } from "prom-client";
import type { ChipBank } from "../upkeep/chip-bank.ts";
import type { ChipHealth } from "../upkeep/health.ts";

/** How the chips are, a series a model. */
export const chipMetrics = (chips: ChipBank, registers: Registry[]): void => {
  const gauge = (name: string, help: string, value: (health: ChipHealth) => number | undefined): void => {
    new Gauge({
      name: `ohmwatch_${name}`,
      help,
      labelNames: ["model"],
      registers,
      collect() {
        this.reset();
        for (const health of chips.health) {
          const known = value(health);
          if (known !== undefined) this.set({ model: health.model }, known);
        }
      },
    });
  };
  gauge("chip_age_seconds", "Chip time since tiles were last written.", (h) => h.ageSeconds);
  gauge("calibration_age_seconds", "Chip time since the last calibration.", (h) => h.sinceCalibrationSeconds);
  gauge("chip_temperature_celsius", "Temperature that the chip is taken to have.", (h) => h.celsius);
  gauge("drift_residual_ratio", "1 over the mean drift compensation: what drift has left.", (h) => 1 / h.alpha.mean);
  gauge("chip_risk_ratio", "Answers expected to differ from the digital network's.", (h) => h.risk);
  gauge("chip_risk_error_ratio", "Standard error of that.", (h) => h.riskError);
  gauge("chip_stuck_devices", "Devices that do not follow their writes.", (h) => h.stuckDevices);
  gauge("chip_pulses_per_device", "Mean pulses that a device has had: wear.", (h) => h.pulses.mean);
  gauge("chip_may_answer", "0 where the chip is too far from its network to answer.", (h) => (h.mayAnswer ? 1 : 0));
};
