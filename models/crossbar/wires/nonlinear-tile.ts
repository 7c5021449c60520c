import { currentAt, type DeviceModel } from "../devices/device.ts";
import type { CellsShape } from "../mapping.ts";
import { nonlinearNodeVoltages } from "./node-voltages.ts";
import type { PairWires } from "./pair-wires.ts";

/** Currents of plus and minus bit lines by output, S of full scale, [outputs × 2], for inputs as parts of full scale. */
export type TileSolver = (parts: Float64Array) => Float64Array;

/**
 * Solve a tile of devices with curves behind resistive wires, anew for each row of inputs: milliseconds to seconds. Plus
 * and minus stand in crossbars of their own; inputs are amplitudes.
 *
 * @param siemens of all devices, numbered as in `TileCells`
 * @param columns the column of each output
 */
export const nonlinearTile = (
  siemens: Float32Array,
  { columns: width, inputs, crossbars }: CellsShape,
  columns: Int32Array,
  device: DeviceModel,
  wires: PairWires,
  readVolts: number,
): TileSolver => {
  const coefficients = Array.from(siemens, (g) => (g > 0 ? (device.currentCoefficients?.(g) ?? [g, 0, 0]) : [0, 0, 0]));
  return (parts) => {
    const volts = parts.map((part) => part * readVolts);
    const currents = new Float64Array(2 * columns.length);
    for (let crossbar = 0; crossbar < crossbars; crossbar++) {
      for (const sign of [0, 1]) {
        const first = 2 * crossbar * width * inputs + sign;
        const { outputAmperes } = nonlinearNodeVoltages(
          (d, v) => currentAt(coefficients[first + 2 * d] as [number, number, number], v),
          width,
          inputs,
          wires,
          volts,
        );
        for (let o = 0; o < columns.length; o++) {
          const at = 2 * o + sign;
          currents[at] = currents[at]! + outputAmperes[columns[o]!]! / (readVolts * crossbars);
        }
      }
    }
    return currents;
  };
};
