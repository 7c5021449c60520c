import { type Recording, RecordingError, type RecordingOptions, recordingOf, type Segment } from "./recording.ts";

/** Columns that say what was wrong rather than what was measured. */
const labelColumns = ["anomaly", "changepoint", "is_anomaly", "label"];
const timeColumns = ["datetime", "timestamp", "time", "date", "t", "seconds"];
const missing = ["", "nan", "na", "n/a", "null", "none", "-"];

/** Settings of a table beside those of all recordings. */
export interface CsvOptions extends RecordingOptions {
  /** Rate where the table has no time column; 1 Hz unless given. */
  readonly sampleRateHz?: number;
}

/**
 * Reads a table: delimiter `;`, tab or `,`, a header line, a column of time (date and time as UTC, Unix seconds or
 * milliseconds, or seconds from the start), numbers. The rate is that of the median interval; where the next row comes
 * later than 1.5 intervals or before its time, a new segment begins. Empty cells are NaN. Columns of words are left out.
 * @throws RecordingError (65) with the line.
 */
export const readCsv = (text: string, { name, ...options }: CsvOptions & { readonly name: string }): Recording => {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  while (lines.at(-1)?.trim() === "") lines.pop();
  const head = lines[0] ?? "";
  const delimiter = [";", "\t", ","].find((candidate) => head.includes(candidate)) ?? ",";
  const header = head.split(delimiter).map(unquote);
  const bad = (line: number, expected: string, got: string) =>
    new RecordingError(65, `${name}:${line}: expected ${expected}, got ${got}`);
  if (lines.length < 2) throw bad(1, "a header line and at least one row", `${lines.length} lines`);
  if (header.every((cell) => cell !== "" && Number.isFinite(Number(cell)))) {
    throw bad(1, "a header line with the names of the columns", `"${head}"`);
  }
  const rows = lines.slice(1).map((line, i) => {
    const cells = line.split(delimiter).map(unquote);
    if (cells.length !== header.length) throw bad(i + 2, `${header.length} cells`, String(cells.length));
    return cells;
  });
  const timeColumn = header.findIndex((cell) => timeColumns.includes(cell.toLowerCase()));
  const columns = header.flatMap((_, column) => {
    const isNumber = rows.some((row) => Number.isFinite(numberOf(row[column]!, delimiter) ?? Number.NaN));
    const isEmpty = rows.every((row) => missing.includes(row[column]!.toLowerCase()));
    return column !== timeColumn && (isNumber || isEmpty) ? [column] : [];
  });
  const values = (column: number) =>
    Float32Array.from(rows, (row, i) => {
      const value = numberOf(row[column]!, delimiter);
      if (value === undefined) throw bad(i + 2, `a number in column "${header[column]}"`, `"${row[column]}"`);
      return value;
    });
  const isLabel = (column: number) => labelColumns.includes(header[column]!.toLowerCase());
  const signals = columns.filter((column) => !isLabel(column));
  if (signals.length === 0) throw bad(1, "at least one column of numbers", `"${head}"`);

  const start = options.startAtNs ?? 0n;
  const rowAtNs =
    timeColumn < 0
      ? undefined
      : timesOf(
          rows.map((row) => row[timeColumn]!),
          { start, bad },
        );
  const sampleRateHz = rowAtNs === undefined ? (options.sampleRateHz ?? 1) : rateOf(rowAtNs, options.sampleRateHz ?? 1);
  const table = signals.map(values);
  return recordingOf({
    stream: options.stream ?? name.replace(/\.[^.]*$/, ""),
    channels: signals.map((column) => header[column]!),
    units: signals.map(() => ""),
    sampleRateHz,
    segments: segmentsOf(table, rowAtNs ?? [start], { sampleRateHz, rows: rows.length }),
    labels: Object.fromEntries(
      columns.filter(isLabel).map((column) => [header[column]!.toLowerCase(), values(column)]),
    ),
  });
};

const unquote = (cell: string): string => cell.trim().replace(/^"(.*)"$/, "$1");

const numberOf = (cell: string, delimiter: string): number | undefined => {
  if (missing.includes(cell.toLowerCase())) return Number.NaN;
  const value = Number(delimiter !== "," && /^[-+]?\d+,\d+$/.test(cell) ? cell.replace(",", ".") : cell);
  return Number.isNaN(value) ? undefined : value;
};

type Bad = (line: number, expected: string, got: string) => RecordingError;

const timesOf = (cells: readonly string[], { start, bad }: { start: bigint; bad: Bad }): bigint[] =>
  cells.map((cell, i) => {
    const number = cell === "" ? Number.NaN : Number(cell);
    // A plain number is milliseconds since 1970 if it is that large, else seconds since 1970, else seconds from the start.
    if (Number.isFinite(number)) {
      const perUnit = number > 1e11 ? 1e6 : 1e9;
      const whole = Math.floor(number);
      // Whole and fraction apart: a double has no room for nanoseconds since 1970.
      const ns = BigInt(whole) * BigInt(perUnit) + BigInt(Math.round((number - whole) * perUnit));
      return number > 1e8 ? ns : start + ns;
    }
    const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/.exec(cell);
    const ms = parts === null ? Number.NaN : Date.parse(`${parts[1]}T${parts[2]}${parts[4] ?? "Z"}`);
    if (Number.isNaN(ms)) throw bad(i + 2, "a time such as 2020-03-09 10:14:33 or a number of seconds", `"${cell}"`);
    return BigInt(ms) * 1_000_000n + BigInt((parts?.[3] ?? "").padEnd(9, "0"));
  });

const rateOf = (rowAtNs: readonly bigint[], otherwise: number): number => {
  const intervals = rowAtNs.slice(1).map((at, i) => Number(at - rowAtNs[i]!));
  const forward = intervals.filter((ns) => ns > 0).sort((a, b) => a - b);
  const median = forward[(forward.length - 1) >> 1];
  return median === undefined ? otherwise : 1e9 / median;
};

const segmentsOf = (
  table: readonly Float32Array[],
  rowAtNs: readonly bigint[],
  { sampleRateHz, rows }: { readonly sampleRateHz: number; readonly rows: number },
): Segment[] => {
  const intervalNs = 1e9 / sampleRateHz;
  const segments: Segment[] = [];
  for (let from = 0, row = 1; row <= rows; row++) {
    // Measured from the segment's start, so that jitter of whole seconds does not add up to a hidden drift.
    const late =
      row < rows && rowAtNs.length > 1 ? Number(rowAtNs[row]! - rowAtNs[from]!) / intervalNs - (row - from) : 0;
    if (row < rows && Math.abs(late) <= 0.5) continue;
    const samples = new Float32Array((row - from) * table.length);
    for (let t = from; t < row; t++) {
      for (let c = 0; c < table.length; c++) samples[(t - from) * table.length + c] = table[c]![t]!;
    }
    segments.push({ startAtNs: rowAtNs[from]!, samples });
    from = row;
  }
  return segments;
};
