import { oracle } from "../../../support/oracle.ts";

/** A circuit of badcrossbar, with its answers, in our order: [outputs × inputs]. */
export interface Circuit {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly circuit: { readonly wordLineOhm: number; readonly bitLineOhm: number };
  readonly siemens: Float64Array;
  /** One vector an input pattern, [inputs]. */
  readonly volts: readonly (readonly number[])[];
  /** One vector an input pattern, [outputs]. */
  readonly outputAmperes: readonly (readonly number[])[];
  readonly deviceAmperes: Float64Array | undefined;
  readonly wordLine: Float64Array | undefined;
  readonly bitLine: Float64Array | undefined;
}

type Table = readonly (readonly (number | "inf")[])[];
interface Case {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  readonly r_word_line_ohm: number;
  readonly r_bit_line_ohm: number;
  readonly resistances_ohm?: Table;
  readonly applied_voltages_V?: Table;
  readonly generated?: { readonly seed: number };
  readonly output_currents_A: readonly (readonly number[])[];
  readonly device_currents_A?: Table;
  readonly word_line_voltages_V?: Table;
  readonly bit_line_voltages_V?: Table;
}

/** All circuits of badcrossbar. Only where there are oracles. */
export const circuits = (): readonly Circuit[] =>
  oracle<{ cases: readonly Case[] }>("irdrop_badcrossbar.json").cases.map(circuitOf);

const circuitOf = (one: Case): Circuit => {
  const { name, rows, cols, generated } = one;
  const uniform = lcg(generated?.seed ?? 0);
  // Generated ones draw 0.25 … 25 µS row by row, then −0.2 … 0.2 V row by row.
  const table =
    one.resistances_ohm?.map((row) => row.map((r) => (r === "inf" ? 0 : 1 / r))) ??
    Array.from({ length: rows }, () => Array.from({ length: cols }, () => (0.25 + 24.75 * uniform()) * 1e-6));
  const patterns = one.output_currents_A.length;
  const applied = (one.applied_voltages_V ??
    Array.from({ length: rows }, () => Array.from({ length: patterns }, () => -0.2 + 0.4 * uniform()))) as number[][];
  const given = (values: Table | undefined) => values && byOutputs(values as readonly (readonly number[])[]);
  return {
    name,
    inputs: rows,
    outputs: cols,
    circuit: { wordLineOhm: one.r_word_line_ohm, bitLineOhm: one.r_bit_line_ohm },
    siemens: byOutputs(table),
    volts: Array.from({ length: patterns }, (_, p) => applied.map((row) => row[p]!)),
    outputAmperes: one.output_currents_A,
    deviceAmperes: given(one.device_currents_A),
    wordLine: given(one.word_line_voltages_V),
    bitLine: given(one.bit_line_voltages_V),
  };
};

/** [inputs][outputs] as [outputs × inputs]. */
export const byOutputs = (table: readonly (readonly number[])[]): Float64Array => {
  const [inputs, outputs] = [table.length, table[0]!.length];
  return Float64Array.from({ length: inputs * outputs }, (_, d) => table[d % inputs]![Math.floor(d / inputs)]!);
};

const lcg = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
};

/** matrix [outputs × inputs] times volts. */
export const times = (matrix: ArrayLike<number>, volts: readonly number[], outputs: number): number[] =>
  Array.from({ length: outputs }, (_, j) => volts.reduce((sum, v, i) => sum + matrix[j * volts.length + i]! * v, 0));
