/** How a figure was come by: `read` in the source named, `memory`: to be checked, `derived` from a figure read, `assumed`. */
export type Basis = "read" | "memory" | "derived" | "assumed";

/** One figure of the table that every estimate is made from. */
export interface Component {
  readonly value: number;
  /** SI unit of `value`. */
  readonly unit: string;
  /** Process of the source. */
  readonly nodeNanometres?: number;
  readonly basis: Basis;
  readonly source: string;
}

const hermes = "HERMES core: Khaddam-Aljameh et al., IEEE JSSC 57 (2022), abstract";
const kull = "Kull et al., ISSCC 2013, 8 b 1.2 GS/s SAR, 3.1 mW; as used by Newton, Nag et al., IEEE Micro 38 (2018)";
const brahms = "Chen et al., VLSI Circuits 2018, recursive-weight DAC; as used by BRAHMS, Song et al., DAC 2021";
const horowitz = "Horowitz, ISSCC 2014, table of energies; as quoted in PMC8934428, table 3";

/**
 * The table of components: every joule, second and square metre of an estimate comes from here.
 *
 * The column converter is the one part fitted to a chip: its power and area are what is left of the published
 * figures of the HERMES core (10.5 TOPS/W, 1.59 TOPS/mm² at 256 × 256 pairs) when the other parts are taken off.
 * Energies in joules are brought to the chip's process in proportion to its length, all else is taken as it is.
 * Left out: anything off the chip, clock distribution, networks between cores, programming, leakage.
 */
export const components = {
  pulseStep: { value: 1e-9, unit: "s", nodeNanometres: 14, basis: "read", source: `${hermes}: main clock of 1 GHz` },
  readOverhead: {
    value: 6e-9,
    unit: "s",
    nodeNanometres: 14,
    basis: "derived",
    source:
      "Le Gallo et al., Nat. Electron. 6 (2023): 63.1 TOPS on 64 cores are 133 ns a product, less 127 pulse steps",
  },
  oscillatorStep: { value: 300e-12, unit: "s", nodeNanometres: 14, basis: "read", source: `${hermes}: 300 ps/LSB` },
  oscillatorPower: {
    value: 3.46e-4,
    unit: "W",
    nodeNanometres: 14,
    basis: "derived",
    source: `${hermes}: 10.5 TOPS/W, a column's share while it reads`,
  },
  oscillatorArea: {
    value: 2.05e-9,
    unit: "m²",
    nodeNanometres: 14,
    basis: "derived",
    source: `${hermes}: 1.59 TOPS/mm², a column's share, with its scaling unit`,
  },
  sarLevel: {
    value: 10.1e-15,
    unit: "J",
    nodeNanometres: 32,
    basis: "derived",
    source: `${kull}: 2.58 pJ / 2⁸ levels`,
  },
  sarStep: { value: 0.83e-9, unit: "s", nodeNanometres: 32, basis: "read", source: kull },
  sarArea: { value: 1.5e-9, unit: "m²", nodeNanometres: 32, basis: "read", source: kull },
  dacLevel: {
    value: 1.14e-15,
    unit: "J",
    nodeNanometres: 40,
    basis: "derived",
    source: `${brahms}: 0.291 pJ / 2⁸ levels`,
  },
  dacArea: { value: 438e-12, unit: "m²", nodeNanometres: 40, basis: "read", source: brahms },
  pulseDriver: {
    value: 37.5e-15,
    unit: "J",
    nodeNanometres: 65,
    basis: "read",
    source: "digital-to-time converter of TIMELY, Li et al., ISCA 2020, table II; as in the CiMLoop component library",
  },
  pulseDriverArea: { value: 240e-12, unit: "m²", nodeNanometres: 65, basis: "read", source: "as pulseDriver" },
  wire: { value: 2e-10, unit: "F/m", basis: "memory", source: "0.2 fF/µm, the rule of thumb of metal wires" },
  gate: { value: 1e-16, unit: "F", nodeNanometres: 14, basis: "assumed", source: "gate of one access transistor" },
  pairArea: { value: 0.5e-12, unit: "m²", nodeNanometres: 14, basis: "assumed", source: "two 1T1R cells" },
  add: { value: 0.1e-12, unit: "J", nodeNanometres: 45, basis: "read", source: `${horowitz}: 32-bit integer add` },
  multiply: {
    value: 0.78e-12,
    unit: "J",
    nodeNanometres: 45,
    basis: "derived",
    source: `${horowitz}: a quarter of the 32-bit integer product, 3.1 pJ, for 16 bits`,
  },
  bufferBit: {
    value: 0.156e-12,
    unit: "J",
    nodeNanometres: 45,
    basis: "read",
    source: `${horowitz}: 5 pJ for 32 bits of 8 KiB`,
  },
  bufferBitArea: {
    value: 0.35e-12,
    unit: "m²",
    nodeNanometres: 45,
    basis: "memory",
    source: "six-transistor SRAM cell",
  },
} as const satisfies Record<string, Component>;

/** An energy of the table, J, brought to a process: E · (process / the source's), the scaling of capacitance at equal voltage. */
export const joulesAt = (name: EnergyName, nodeNanometres: number): number =>
  (components[name].value * nodeNanometres) / components[name].nodeNanometres;

type EnergyName = "sarLevel" | "dacLevel" | "pulseDriver" | "add" | "multiply" | "bufferBit";
