import type { Basis } from "./components.ts";

/** A machine that could run the same network digitally. */
export interface Machine {
  readonly name: string;
  readonly kind: "microcontroller" | "gpu";
  /** Energy of an inference = `fixedJoules` + `joulesPerMac` · multiply-accumulates. */
  readonly fixedJoules: number;
  readonly joulesPerMac: number;
  /** Time likewise; undefined where a batch says nothing of one inference. */
  readonly fixedSeconds?: number;
  readonly secondsPerMac?: number;
  /** Power between inferences, W: `memory`, whatever `basis` says of the rest. 0 where it is shared with other work. */
  readonly idleWatts: number;
  readonly conditions: string;
  readonly basis: Basis;
  readonly source: string;
}

const mlperf = "MLPerf Tiny v1.1, closed division, STMicroelectronics (STM32Cube.AI)";
/** DS-CNN of MLPerf Tiny's keyword spotting: at 25 × 5 positions of 64 channels a 10 × 4 layer, then four of 3 × 3 and 64; 12 labels. */
const dsCnnMacs = 25 * 5 * 64 * (10 * 4 + 4 * (3 * 3 + 64)) + 64 * 12;

/**
 * Machines to compare with. Energies per multiply-accumulate are those of the nets that they were measured on; a small
 * net or a wide one can fare better or worse by a factor of two.
 */
export const machines: readonly Machine[] = [
  {
    name: "STM32L4R5",
    kind: "microcontroller",
    fixedJoules: 0,
    joulesPerMac: 2833e-6 / dsCnnMacs,
    fixedSeconds: 0,
    secondsPerMac: 1 / 15.884 / dsCnnMacs,
    idleWatts: 5e-6,
    conditions: "Cortex-M4 at 120 MHz, int8",
    basis: "read",
    source: `${mlperf}: keyword spotting 2833 µJ at 15.88 inferences/s`,
  },
  {
    name: "STM32U575",
    kind: "microcontroller",
    fixedJoules: 0,
    joulesPerMac: 1004.2e-6 / dsCnnMacs,
    fixedSeconds: 0,
    secondsPerMac: 1 / 26.112 / dsCnnMacs,
    idleWatts: 5e-6,
    conditions: "Cortex-M33 at 160 MHz, int8",
    basis: "read",
    source: `${mlperf}: keyword spotting 1004 µJ at 26.11 inferences/s`,
  },
  {
    name: "Jetson TX2 (batch 1)",
    kind: "gpu",
    fixedJoules: 24.2e-3,
    joulesPerMac: 52e-12,
    fixedSeconds: 5.8e-3,
    secondsPerMac: 6.7e-12,
    idleWatts: 2,
    conditions: "one inference at a time; nets of some fifty layers, ours have fewer",
    basis: "read",
    source: "HW-NAS-Bench, Li et al., ICLR 2021, edge GPU: 24.2 mJ, 5.83 ms at 4.09 M to 30.0 mJ, 6.55 ms at 115 M",
  },
  {
    name: "NVIDIA T4 (full load)",
    kind: "gpu",
    fixedJoules: 0,
    joulesPerMac: 70 / (130e12 / 2),
    idleWatts: 0,
    conditions: "int8 at its peak rate, batch without limit: more than any real net reaches; host not counted",
    basis: "memory",
    source: "data sheet: 130 TOPS int8, 70 W",
  },
];

/** One inference on a machine, J. */
export const joulesOn = (machine: Machine, macs: number): number => machine.fixedJoules + machine.joulesPerMac * macs;

/** One inference on a machine, s; undefined where that is not known. */
export const secondsOn = ({ fixedSeconds, secondsPerMac }: Machine, macs: number): number | undefined =>
  fixedSeconds === undefined || secondsPerMac === undefined ? undefined : fixedSeconds + secondsPerMac * macs;

/** The share of `theirs` that `ours` does without: 0.9 is a tenth of it, below zero is more than it. */
export const saving = (ours: number, theirs: number): number => 1 - ours / theirs;
