import { maxAdcBits, maxDacBits } from "../crossbar/converters.ts";
import { expectInteger, maxTileSide } from "../crossbar/mapping.ts";
import { components, joulesAt } from "./components.ts";

/**
 * How a chip reads a tile.
 *
 * - `pulse-width`: a word line is on for |code| steps; `amplitude`: a DAC a word line; `bit-serial`: one bit a read.
 * - `oscillator`: a converter a column that counts while the tile is read; `sar`: one that `columnsPerAdc` share,
 *   one column after the other.
 */
export interface ChipDesign {
  readonly inputs: "pulse-width" | "amplitude" | "bit-serial";
  readonly adc: "oscillator" | "sar";
  readonly dacBits: number;
  readonly adcBits: number;
  /** Inputs as digits of so many bits, one read each; left out: whole. */
  readonly inputSliceBits?: number;
  /** Columns that take turns at one SAR converter; 1 for oscillators. */
  readonly columnsPerAdc: number;
  /** Reads for one product, beside the bits of bit-serial inputs: 4 where signs of inputs and weights are read apart. */
  readonly phases: number;
  /** How long a read by amplitude or by bit is on, s. */
  readonly settleSeconds: number;
  /** Voltage of a read and of the logic, V. */
  readonly readVolts: number;
  readonly supplyVolts: number;
  /** Process of the logic, nm. */
  readonly nodeNanometres: number;
}

/** The chip that estimates stand for unless told otherwise: HERMES' cores, in their precise mode of four phases. */
export const hermesDesign: ChipDesign = {
  inputs: "pulse-width",
  adc: "oscillator",
  dacBits: 8,
  adcBits: 8,
  columnsPerAdc: 1,
  phases: 4,
  settleSeconds: 5e-9,
  readVolts: 0.2,
  supplyVolts: 0.8,
  nodeNanometres: 14,
};

/** @throws RangeError that names a number of the design that no chip can have, its limit and its value */
export const checkDesign = (design: ChipDesign): void => {
  const {
    adc,
    dacBits,
    adcBits,
    inputSliceBits,
    columnsPerAdc,
    phases,
    settleSeconds,
    readVolts,
    supplyVolts,
    nodeNanometres,
  } = design;
  expectInteger("dacBits", dacBits, 2, maxDacBits);
  expectInteger("adcBits", adcBits, 2, maxAdcBits);
  expectInteger("columnsPerAdc", columnsPerAdc, 1, adc === "sar" ? maxTileSide : 1);
  expectInteger("phases", phases, 1, 4);
  if (inputSliceBits !== undefined) expectInteger("inputSliceBits", inputSliceBits, 1, dacBits - 1);
  for (const [name, value] of Object.entries({ settleSeconds, readVolts, supplyVolts, nodeNanometres })) {
    if (!(value > 0 && Number.isFinite(value)))
      throw new RangeError(`${name}: expected a finite number > 0, got ${value}`);
  }
};

/** What one tile does in one product. */
export interface TileWork {
  readonly inputs: number;
  readonly outputs: number;
  /** Columns to convert, one an output where the pair subtracts in the column; more where a weight is cut into bits. */
  readonly columns: number;
  /** Pairs that were formed, whose gates the word lines drive; left out: inputs · columns. */
  readonly pairs?: number;
  /** Sum of the conductances of all devices, S. */
  readonly siemens: number;
  /** Mean of |x| and of x², as parts of the full scale; of a bit-serial input `magnitude` is the mean of its bits. */
  readonly magnitude: number;
  readonly square: number;
}

/** Parts that energy is told apart by. */
export const energyParts = ["drivers", "cells", "wires", "converters", "digital", "buffers"] as const;
export type EnergyPart = (typeof energyParts)[number];
/** Joules, by part. */
export type Energy = Readonly<Record<EnergyPart, number>>;

/** Sum over the parts, J. */
export const total = (energy: Energy): number => energyParts.reduce((sum, part) => sum + energy[part], 0);

/** Energies added part by part. */
export const addEnergy = (a: Energy, b: Energy, timesB = 1): Energy =>
  Object.fromEntries(energyParts.map((part) => [part, a[part] + timesB * b[part]])) as Energy;

export const noEnergy: Energy = { drivers: 0, cells: 0, wires: 0, converters: 0, digital: 0, buffers: 0 };

/** Reads of one product: phases, and one for each bit of a bit-serial input or each digit of an input in digits. */
export const readsOf = ({ phases, inputs, dacBits, inputSliceBits = dacBits - 1 }: ChipDesign): number =>
  phases * (inputs === "bit-serial" ? dacBits : Math.ceil((dacBits - 1) / inputSliceBits));

/** Most steps of a pulse: bits of an input, or of a digit, without sign. */
const pulseSteps = ({ dacBits, inputSliceBits = dacBits - 1 }: ChipDesign): number => 2 ** inputSliceBits - 1;

/** How long the word lines of one read stay on, s. */
export const readSecondsOf = (design: ChipDesign): number => {
  const { inputs, adc, adcBits, settleSeconds } = design;
  const on = inputs === "pulse-width" ? pulseSteps(design) * components.pulseStep.value : settleSeconds;
  return adc === "oscillator" ? Math.max(on, 2 ** adcBits * components.oscillatorStep.value) : on;
};

/** Time of one product on a tile, s: its reads and their conversions, without overlap. */
export const productSecondsOf = (design: ChipDesign): number => {
  const turns = design.adc === "sar" ? design.columnsPerAdc * components.sarStep.value : components.readOverhead.value;
  return readsOf(design) * (readSecondsOf(design) + turns);
};

/**
 * Energy of one product of one tile, J:
 *
 *   cells       Σ G · V² · t · m        m = mean x² (amplitude), mean |x| (pulse width), share of ones (bit-serial), ½ (digits)
 *   drivers     inputs · E_dac          converters   columns · E_adc
 *   wires       (inputs + columns) lines of C = c · length + gates, charged once a read that is not zero
 *   digital     a sum a column, a scale an output    buffers    inputs of dacBits read, outputs of 16 bits written
 *
 * All but digital and buffers once for each read.
 */
export const productEnergy = (work: TileWork, design: ChipDesign): Energy => {
  const { inputs, outputs, columns } = work;
  const { readVolts, supplyVolts, dacBits, nodeNanometres: node } = design;
  const reads = readsOf(design);
  const whole = design.inputs === "amplitude" ? work.square : work.magnitude;
  const moment = design.inputSliceBits === undefined ? whole : 1 / 2; // digits are as good as random
  const pitchMetres = Math.sqrt(components.pairArea.value);
  const rowFarads = columns * components.wire.value * pitchMetres;
  const gateFarads = 2 * (work.pairs ?? inputs * columns) * components.gate.value;
  const columnFarads = inputs * components.wire.value * pitchMetres;
  const charge =
    (inputs * rowFarads + gateFarads) * (design.inputs === "amplitude" ? readVolts : supplyVolts) ** 2 +
    2 * columns * columnFarads * readVolts ** 2;
  return {
    drivers: reads * inputs * driverJoules(design),
    cells: reads * work.siemens * readVolts ** 2 * cellSeconds(design) * moment,
    wires: reads * charge * Math.min(1, 2 * work.magnitude),
    converters: reads * columns * converterJoules(design),
    digital: reads * columns * joulesAt("add", node) + outputs * joulesAt("multiply", node),
    buffers: (inputs * dacBits + outputs * 16) * joulesAt("bufferBit", node),
  };
};

/** Area of a tile with its drivers and converters, m². */
export const tileArea = (inputs: number, outputs: number, design: ChipDesign): number => {
  const driver = {
    "pulse-width": components.pulseDriverArea.value,
    amplitude: components.dacArea.value,
    "bit-serial": 0,
  };
  const adc = design.adc === "oscillator" ? components.oscillatorArea.value : components.sarArea.value;
  return (
    inputs * outputs * components.pairArea.value +
    inputs * driver[design.inputs] +
    Math.ceil(outputs / design.columnsPerAdc) * adc
  );
};

/** Power of a tile's converters while they are on, W: what is spent between products where nothing is switched off. */
export const biasWatts = (outputs: number, design: ChipDesign): number =>
  design.adc === "oscillator"
    ? outputs * components.oscillatorPower.value
    : (Math.ceil(outputs / design.columnsPerAdc) * converterJoules(design)) / components.sarStep.value;

const cellSeconds = (design: ChipDesign): number =>
  design.inputs === "pulse-width" ? pulseSteps(design) * components.pulseStep.value : readSecondsOf(design);

const driverJoules = (design: ChipDesign): number => {
  const { inputs, nodeNanometres } = design;
  if (inputs === "pulse-width") return joulesAt("pulseDriver", nodeNanometres);
  return inputs === "amplitude" ? joulesAt("dacLevel", nodeNanometres) * 2 * (pulseSteps(design) + 1) : 0;
};

const converterJoules = (design: ChipDesign): number =>
  design.adc === "oscillator"
    ? components.oscillatorPower.value * readSecondsOf(design)
    : joulesAt("sarLevel", design.nodeNanometres) * 2 ** design.adcBits;
