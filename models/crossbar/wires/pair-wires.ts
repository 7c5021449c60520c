import type { WireCircuit } from "./circuit.ts";
import { effectiveMatrix } from "./effective-matrix.ts";

/** The wires of a tile of differential pairs. */
export interface PairWires extends Omit<WireCircuit, "devicesPerNode"> {
  /**
   * `separate`: plus and minus devices stand in crossbars of their own. `interleaved`: both of a pair sit at one node of
   * one bit line, on word lines of their own with opposite voltages, so that their currents cancel before they drop
   * voltage. Its matrices have twice the side.
   */
  readonly layout: "separate" | "interleaved";
}

/**
 * Replace the conductances of pairs by those that the tile acts with through its wires. Exact for devices that are
 * linear, whether inputs are amplitudes, or pulses whose drivers hold their word lines at ground between: both are sums
 * of the same linear circuit.
 *
 * @param siemens plus and minus of each pair in turn, [outputs × inputs × 2], in place
 * @param ratios how much of each device is left, g_eff / g, 1 where g is 0; same order
 */
export const throughWires = (
  siemens: Float32Array,
  outputs: number,
  inputs: number,
  wires: PairWires,
  ratios: Float32Array,
): void => {
  const pairs = outputs * inputs;
  const replace = (effective: Float64Array, deviceOf: (at: number) => number): void => {
    for (let at = 0; at < effective.length; at++) {
      const device = deviceOf(at);
      ratios[device] = siemens[device]! > 0 ? effective[at]! / siemens[device]! : 1;
      siemens[device] = effective[at]!;
    }
  };
  if (wires.layout === "interleaved") {
    replace(effectiveMatrix(siemens, outputs, 2 * inputs, { ...wires, devicesPerNode: 2 }), (at) => at);
    return;
  }
  for (const sign of [0, 1]) {
    const one = Float64Array.from({ length: pairs }, (_, p) => siemens[2 * p + sign]!);
    replace(effectiveMatrix(one, outputs, inputs, wires), (at) => 2 * at + sign);
  }
};
