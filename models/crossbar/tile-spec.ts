import type { Pairing } from "./columns.ts";
import type { Converter } from "./converters.ts";
import type { DetailedReading } from "./detailed-spec.ts";
import type { DeviceModel } from "./devices/device.ts";
import type { FaultMap } from "./faults.ts";
import type { MvmKernel } from "./kernels/kernel.ts";
import type { CellsShape } from "./mapping.ts";
import type { TileKey, WriteVerify } from "./programming.ts";
import type { PairWires } from "./wires/pair-wires.ts";

/** What a tile is made of, beside its weights. */
export interface TileSpec extends TileKey {
  readonly device: DeviceModel;
  readonly dac: Converter;
  readonly adcBits: number;
  /** Full scale of the ADC, in units of W·x; undefined: the largest sum that the programmed tile can give. */
  readonly outputMax: number | undefined;
  readonly kernel: MvmKernel;
  readonly shape: CellsShape;
  readonly pairing: Pairing;
  /** Devices that were never formed. */
  readonly absent: Uint32Array;
  /** How it is programmed; undefined: one pulse a device. */
  readonly verify: WriteVerify | undefined;
  /** Whether the slow part of read noise goes on from read to read. */
  readonly slowNoise: boolean;
  /** undefined: the plain way. */
  readonly reading: DetailedReading | undefined;
  /** undefined: none. Checked. */
  readonly faults: FaultMap | undefined;
  /** How many spare tiles the chip has, and the faults of one that this tile could use. */
  readonly spareTiles: number;
  readonly spareFaults: (spare: number) => FaultMap | undefined;
  /** undefined: wires without resistance. */
  readonly wires: PairWires | undefined;
  /** Chip time, s at the reference temperature, and temperature of the array. */
  readonly atSeconds: number;
  readonly celsius: number;
}
