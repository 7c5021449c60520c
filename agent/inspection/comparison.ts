import { joulesOn, type Machine, machines, saving, secondsOn } from "../../models/energy/elsewhere.ts";
import type { NetworkCost } from "../../models/energy/network-cost.ts";
import { total } from "../../models/energy/tile-cost.ts";
import type { Manifest } from "../../models/manifest.ts";

/** The claim that is put to the test: this part of a GPU's power is saved. */
export const claimedSaving = 0.9;

/** Heart beats a second where a model takes one beat at a time: 75 a minute. */
const beatsPerSecond = 1.25;

export interface ComparedMachine {
  readonly name: string;
  readonly kind: Machine["kind"];
  readonly conditions: string;
  readonly basis: Machine["basis"];
  readonly source: string;
  readonly joules: number;
  readonly seconds?: number;
  /** Power at the rate of the stream, W: inferences and idling. */
  readonly watts: number;
  /** What the crossbar saves of one inference. */
  readonly savingPerInference: number;
  /** What it saves of the power at the stream's rate, with its converters switched off between inferences, and left on. */
  readonly savingSwitched: number;
  readonly savingLeftOn: number;
}

export interface Comparison {
  readonly inferencesPerSecond: number;
  readonly joules: number;
  readonly seconds: number;
  /** Power at the rate of the stream, W. */
  readonly wattsSwitched: number;
  readonly wattsLeftOn: number;
  readonly machines: readonly ComparedMachine[];
}

/** The network on the crossbar beside the same network on other machines, on one live stream; of pictures one a second. */
export const compare = (cost: NetworkCost, manifest: Manifest): Comparison => {
  const { modality, input } = manifest;
  const rate =
    modality === "ecg"
      ? beatsPerSecond
      : modality === "image" || modality === "vectors"
        ? 1
        : input.sampleRateHz / input.hopSamples;
  const joules = total(cost.energyJoules);
  const wattsSwitched = rate * joules;
  const wattsLeftOn = wattsSwitched + cost.biasWatts;
  return {
    inferencesPerSecond: rate,
    joules,
    seconds: cost.latencySeconds,
    wattsSwitched,
    wattsLeftOn,
    machines: machines.map((machine): ComparedMachine => {
      const { name, kind, conditions, basis, source } = machine;
      const theirs = joulesOn(machine, cost.multiplyAccumulates);
      const seconds = secondsOn(machine, cost.multiplyAccumulates);
      const watts = rate * theirs + machine.idleWatts;
      return {
        ...{ name, kind, conditions, basis, source, joules: theirs, watts },
        ...(seconds !== undefined && { seconds }),
        savingPerInference: saving(joules, theirs),
        savingSwitched: saving(wattsSwitched, watts),
        savingLeftOn: saving(wattsLeftOn, watts),
      };
    }),
  };
};
