import { lineChart } from "./curves.ts";
import type { Lifetime } from "./lifetime.ts";

/** The first figure over the age of the chips, a line for each device and compensation, as SVG text. */
export const agesChart = (name: string, { digital, analog }: Lifetime): string => {
  const ages = [...new Set(analog.map(({ age }) => age))];
  const lines = [...new Set(analog.map(({ device, compensation }) => `${device} ${compensation}`))];
  const [figure, value] = Object.entries(digital.numbers)[0]!;
  return lineChart(`${name}: ${figure} over ${ages.join(", ")}`, "measurement", [
    { name: "digital", points: ages.map((_, i) => [i + 1, value]) },
    ...lines.map((line) => ({
      name: line.replace(/-[a-z]+-\d+/, ""),
      points: analog
        .filter(({ device, compensation }) => line === `${device} ${compensation}`)
        .map(({ mean }, i) => [i + 1, mean] as const),
    })),
  ]);
};
