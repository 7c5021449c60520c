import type { Doubt } from "../../models/model.ts";
import type { Network } from "../../models/network/network.ts";
import type { ClassifierMetrics } from "./metrics.ts";

/** Figures of one network on one set: numbers by name, the first the one to compare by; and what stands behind them. */
export interface Figures {
  readonly numbers: Readonly<Record<string, number>>;
  readonly detail?: ClassifierMetrics & { readonly byGroup?: Readonly<Record<string, ClassifierMetrics>> };
}

/** Something to be measured, with its recordings already read. */
export interface Task {
  readonly samples: number;
  /** Which recordings, in words. */
  readonly data: string;
  /**
   * @param doubt what is done with answers that the noise of the chip could have decided; then the numbers also say
   *              which part of the answers that was (`doubted`) and, of a classifier, how good the rest is and how
   *              many reads of the chip an answer took
   */
  score(network: Network, doubt?: Doubt): Figures;
  /** The same on at most so many samples, evenly chosen; without it only the whole can be measured. */
  part?(most: number): Task;
}
