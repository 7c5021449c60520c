import type { ComparedMachine, Comparison } from "./comparison.ts";
import { claimedSaving } from "./comparison.ts";
import { digits, percent, withUnit } from "./units.ts";

/** Whether "over 90 % less power than a GPU" holds, case by case, in full sentences. */
export const verdict = ({
  inferencesPerSecond,
  joules,
  wattsSwitched,
  wattsLeftOn,
  machines,
}: Comparison): string[] => {
  const gpus = machines.filter(({ kind }) => kind === "gpu");
  const waiting = gpus.find(({ watts, joules: theirs }) => watts > inferencesPerSecond * theirs);
  const busy = gpus.find((gpu) => gpu !== waiting);
  const sentences: string[] = [];
  if (waiting) {
    sentences.push(
      `An inference alone: ${withUnit(joules, "J")} against ${withUnit(waiting.joules, "J")} on a ${waiting.name}: ${held(waiting.savingPerInference)}${room(joules, waiting)}.`,
      `A live stream at ${digits(inferencesPerSecond)} a second, converters switched off between inferences: ${withUnit(wattsSwitched, "W")} against ${withUnit(waiting.watts, "W")}, most of it idling: ${held(waiting.savingSwitched)}.`,
      `The same with the converters left on: ${withUnit(wattsLeftOn, "W")}: ${held(waiting.savingLeftOn)}.`,
    );
  }
  if (busy) {
    sentences.push(
      `Against an ${busy.name}, which answers many streams at once: ${withUnit(busy.joules, "J")} an inference at its peak rate: ${held(busy.savingPerInference)}.`,
    );
  }
  sentences.push(
    "These are estimates of a chip, good to a factor of about two: features, radio and host are counted for nobody, leakage of the chip is taken to be nothing, idle powers of the others are from memory. This program only simulates that chip and saves no power.",
  );
  return sentences;
};

const held = (share: number): string => {
  const claim = `over ${digits(100 * claimedSaving)} %`;
  if (share < 0) return `${percent(-share)} more; "${claim} less" does not hold`;
  return `${percent(share)} less; "${claim} less" ${share > claimedSaving ? "holds" : "does not hold"}`;
};

/** How far the other's figure may fall until the claim fails. */
const room = (joules: number, { joules: theirs }: ComparedMachine): string => {
  const factor = (theirs * (1 - claimedSaving)) / joules;
  return factor > 2 ? `, and would if the GPU took a ${digits(factor)}th of that` : "";
};
