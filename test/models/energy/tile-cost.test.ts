import { describe, expect, it } from "vitest";
import { components, joulesAt } from "../../../models/energy/components.ts";
import {
  biasWatts,
  type ChipDesign,
  checkDesign,
  hermesDesign,
  productEnergy,
  productSecondsOf,
  readSecondsOf,
  tileArea,
  total,
} from "../../../models/energy/tile-cost.ts";

/** A full tile of pairs whose conductances add up to 5 µS, inputs spread evenly. */
const fullTile = (inputs: number, outputs: number) => ({
  inputs,
  outputs,
  columns: outputs,
  siemens: inputs * outputs * 5e-6,
  magnitude: 1 / 2,
  square: 1 / 3,
});
const onePhase: ChipDesign = { ...hermesDesign, phases: 1 };
const operations = 2 * 256 * 256;
const teraOpsPerWatt = (design: ChipDesign) => operations / total(productEnergy(fullTile(256, 256), design)) / 1e12;

/** NeuroSim's defaults: a weight of 8 bits on 8 columns, an input bit a read, 5-bit converters shared by 8 columns. */
const neuroSim: ChipDesign = {
  ...hermesDesign,
  inputs: "bit-serial",
  adc: "sar",
  adcBits: 5,
  columnsPerAdc: 8,
  phases: 1,
  settleSeconds: 1e-9,
  readVolts: 0.55,
  nodeNanometres: 22,
};
/** A subarray's share of the work for 128 × 128 weights: half of the cells on (100 kΩ), half off (1.7 MΩ), toggle 0.18. */
const neuroSimWork = {
  inputs: 128,
  outputs: 128,
  columns: 1024,
  siemens: (128 * 1024 * (1 / 1e5 + 1 / 1.7e6)) / 2,
  magnitude: 0.18,
  square: 0.18,
};

const factor = (ours: number, theirs: number) => Math.max(ours / theirs, theirs / ours);

describe("The energy of a product", () => {
  it("is V² G t in the cells: 25 µS at 0.2 V for 127 ns are 0.127 pJ", () => {
    const work = { inputs: 1, outputs: 1, columns: 1, siemens: 25e-6, magnitude: 1, square: 1 };
    expect(productEnergy(work, onePhase).cells).toBeCloseTo(0.04 * 25e-6 * 127e-9, 18);
    // Half the voltage is a quarter of the energy, half the time is half.
    expect(productEnergy({ ...work, square: 0.25 }, { ...onePhase, inputs: "amplitude" }).cells).toBeCloseTo(
      0.25 * 0.04 * 25e-6 * readSecondsOf({ ...onePhase, inputs: "amplitude" }),
      18,
    );
    expect(productEnergy({ ...work, magnitude: 0.5 }, onePhase).cells).toBeCloseTo(0.5 * 0.04 * 25e-6 * 127e-9, 18);
  });

  it("counts the gates of pairs that were formed: a tile of none has the charge of its wires alone", () => {
    const charge = (pairs?: number) =>
      productEnergy({ ...fullTile(64, 32), ...(pairs !== undefined && { pairs }) }, onePhase).wires;
    const gates = 2 * components.gate.value * onePhase.supplyVolts ** 2;
    expect((charge() - charge(0)) / (64 * 32 * gates)).toBeCloseTo(1, 9);
    expect((charge(64) - charge(0)) / (64 * gates)).toBeCloseTo(1, 9);
  });

  it("of inputs in digits is that of one read a digit, of shorter pulses", () => {
    const digits = { ...onePhase, inputSliceBits: 4 };
    // 7 bits without sign are two digits; pulses of 15 steps at most, while the converter still counts 2⁸.
    expect(productEnergy(fullTile(64, 64), digits).drivers / productEnergy(fullTile(64, 64), onePhase).drivers).toBe(2);
    const cells = productEnergy({ ...fullTile(1, 1), siemens: 25e-6 }, digits).cells;
    expect(cells).toBeCloseTo((2 * 0.04 * 25e-6 * 15e-9) / 2, 20);
    expect(() => checkDesign({ ...onePhase, inputSliceBits: 8 })).toThrow(
      "inputSliceBits: expected an integer in 1 … 7",
    );
  });

  it("in a SAR converter doubles with each bit, by Walden's figure of merit", () => {
    const sar = (adcBits: number) => productEnergy(fullTile(64, 64), { ...onePhase, adc: "sar", adcBits }).converters;
    expect(sar(9) / sar(8)).toBeCloseTo(2, 12);
    // Kull's converter at its own process: 3.1 mW / 1.2 GS/s.
    const own = productEnergy(fullTile(1, 1), { ...onePhase, adc: "sar", nodeNanometres: 32 }).converters;
    expect(own / (3.1e-3 / 1.2e9)).toBeCloseTo(1, 2);
  });

  it("and its time are those of one phase times the phases, but for what is scaled and buffered once", () => {
    const one = productEnergy(fullTile(256, 256), onePhase);
    const four = productEnergy(fullTile(256, 256), hermesDesign);
    expect(four.converters / one.converters).toBeCloseTo(4, 12);
    expect(four.buffers).toBe(one.buffers);
    expect(productSecondsOf(hermesDesign) / productSecondsOf(onePhase)).toBeCloseTo(4, 12);
  });

  it("grows with columns for converters, with rows for drivers, with both for cells", () => {
    const part = (inputs: number, outputs: number) => productEnergy(fullTile(inputs, outputs), onePhase);
    const [small, wide, tall] = [part(100, 100), part(100, 200), part(200, 100)];
    expect([wide.converters / small.converters, tall.converters / small.converters]).toEqual([2, 1]);
    expect([wide.drivers / small.drivers, tall.drivers / small.drivers]).toEqual([1, 2]);
    expect(wide.cells / small.cells).toBeCloseTo(2, 12);
    expect(tall.cells / small.cells).toBeCloseTo(2, 12);
  });

  it("in joules of the table is scaled by the process: 45 nm to 22.5 nm is half", () => {
    expect(joulesAt("add", 22.5)).toBeCloseTo(components.add.value / 2, 20);
  });
});

describe("The table of components, held against published chips and simulators", () => {
  it("is fitted to the HERMES core: 10.5 TOPS/W, 1.59 TOPS/mm² (Khaddam-Aljameh 2022), within 2 %", () => {
    expect(factor(teraOpsPerWatt(onePhase), 10.5)).toBeLessThan(1.02);
    const density = operations / productSecondsOf(onePhase) / 1e12 / (tileArea(256, 256, onePhase) * 1e6);
    expect(factor(density, 1.59)).toBeLessThan(1.02);
  });

  it("gives the 64-core chip of Le Gallo 2023 within 1.2: 9.76 and 2.48 TOPS/W, 63.1 and 16.1 TOPS", () => {
    expect(factor(teraOpsPerWatt(onePhase), 9.76)).toBeLessThan(1.2);
    expect(factor(teraOpsPerWatt(hermesDesign), 2.48)).toBeLessThan(1.2);
    expect(factor((64 * operations) / productSecondsOf(onePhase) / 1e12, 63.1)).toBeLessThan(1.03);
    expect(factor((64 * operations) / productSecondsOf(hermesDesign) / 1e12, 16.1)).toBeLessThan(1.03);
  });

  it("gives the sustained 12.4 TOPS/W of Ambrogio 2023, another chip of 14 nm, within 1.3", () => {
    expect(factor(teraOpsPerWatt(onePhase), 12.4)).toBeLessThan(1.3);
  });

  it("gains by fewer bits as AnalogNets does (8.55, 26.55, 56.67 TOPS/W at 8, 6, 4 bits), within 2.1", () => {
    const at = (bits: number) => teraOpsPerWatt({ ...onePhase, dacBits: bits, adcBits: bits });
    expect(factor(at(6) / at(8), 26.55 / 8.55)).toBeLessThan(1.3);
    expect(factor(at(4) / at(8), 56.67 / 8.55)).toBeLessThan(2.1);
  });

  it("gives NeuroSim 1.4's 128 × 128 within 2.5 in energy (1.31 nJ) and 4 in time (222 ns)", () => {
    expect(factor(total(productEnergy(neuroSimWork, neuroSim)), 1.31e-9)).toBeLessThan(2.5);
    expect(factor(productSecondsOf(neuroSim), 222e-9)).toBeLessThan(4);
  });

  it("gives NeuroSim 1.4's 512 × 512 within 2.5 in energy (20.2 nJ), as 16 subarrays", () => {
    expect(factor(16 * total(productEnergy(neuroSimWork, neuroSim)), 20.2e-9)).toBeLessThan(2.5);
  });
});

describe("Converters left on", () => {
  it("draw what they draw while reading: 256 oscillators are 88.6 mW", () => {
    expect(biasWatts(256, hermesDesign)).toBeCloseTo(256 * 3.46e-4, 6);
  });
});

describe("A design that no chip can have", () => {
  const refused: readonly [Partial<ChipDesign>, string][] = [
    [{ dacBits: 0 }, "dacBits: expected an integer in 2 … 12, got 0"],
    [{ adcBits: 17 }, "adcBits: expected an integer in 2 … 16, got 17"],
    [{ columnsPerAdc: 8 }, "columnsPerAdc: expected an integer in 1 … 1, got 8"], // oscillators are not shared
    [{ adc: "sar", columnsPerAdc: 0 }, "columnsPerAdc: expected an integer in 1 … 256, got 0"],
    [{ phases: 0 }, "phases: expected an integer in 1 … 4, got 0"],
    [{ readVolts: 0 }, "readVolts: expected a finite number > 0, got 0"],
    [{ nodeNanometres: Number.NaN }, "nodeNanometres: expected a finite number > 0, got NaN"],
  ];
  it.each(refused)("%o is refused with the number, its limit and its value", (wrong, sentence) => {
    expect(() => checkDesign({ ...hermesDesign, ...wrong })).toThrow(new RangeError(sentence));
  });

  it("is none of those that are estimated", () => {
    for (const design of [hermesDesign, onePhase, neuroSim]) expect(() => checkDesign(design)).not.toThrow();
  });
});
