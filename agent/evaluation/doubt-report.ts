import type { DoubtPolicy } from "../../models/model.ts";
import type { Task } from "./figures.ts";
import type { AgedFigures, Lifetime, LifetimeOptions } from "./lifetime.ts";

/** All that can be done with an answer that the noise of the chip could have decided. */
export const doubtPolicies: readonly DoubtPolicy[] = ["mark", "repeat", "digital"];

/** What doubt buys on the chips of a device at an age; means over the chips, parts of one. */
export interface DoubtRow {
  readonly device: string;
  readonly age: string;
  /** Accuracy of all answers, taken as they are. */
  readonly asTheyAre: number;
  /** Part of the answers that is marked, and the accuracy of the others. */
  readonly marked: number;
  readonly unmarked: number;
  /** Accuracy with the marked repeated, and how often the chip was then read an answer. */
  readonly repeated: number;
  readonly reads: number;
  /** Accuracy with the marked redone digitally. */
  readonly redone: number;
}

/** What marking, repeating and redoing buys, and on what it was measured. */
export interface DoubtReport {
  readonly data: string;
  readonly samples: number;
  readonly seeds: number;
  readonly sigmas: number;
  /** Of a repeated answer. */
  readonly reads: number;
  /** Accuracy without a chip. */
  readonly digital: number;
  readonly rows: readonly DoubtRow[];
}

/** @param lifetime measured with all of `doubtPolicies` */
export const doubtReport = (
  { data, samples }: Task,
  { sigmas, reads }: Required<Pick<LifetimeOptions, "sigmas" | "reads">>,
  { analog, digital, seeds }: Lifetime,
): DoubtReport => {
  const rows = analog.filter(({ doubt }) => doubt === undefined);
  const of = ({ device, age, compensation }: AgedFigures, policy: DoubtPolicy) => {
    const { figures } = analog.find(
      (row) => row.device === device && row.age === age && row.compensation === compensation && row.doubt === policy,
    )!;
    return (name: string): number => figures[name]!.mean;
  };
  return {
    ...{ data, samples, seeds, sigmas, reads, digital: digital.numbers["accuracy"]! },
    rows: rows.map((row) => {
      const [mark, repeat, redo] = [of(row, "mark"), of(row, "repeat"), of(row, "digital")];
      return {
        ...{ device: row.device, age: row.age, asTheyAre: row.mean },
        ...{ marked: mark("doubted"), unmarked: mark("accuracy of the others") },
        ...{ repeated: repeat("accuracy"), reads: repeat("reads"), redone: redo("accuracy") },
      };
    }),
  };
};
