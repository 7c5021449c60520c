import type { Manifest } from "../../models/manifest.ts";
import type { AgedFigures, Lifetime } from "./lifetime.ts";

const percent = (v: number): string => `${(100 * v).toFixed(1)} %`;
/** Rates are parts of one; FAR and MAR come in percent already. */
const show = (name: string, v: number): string => (name.endsWith("Percent") ? `${v.toFixed(1)} %` : percent(v));

/** The model card, in Markdown: what it is, how it was made, what it reaches. Written by the command that measured it. */
export const modelCard = (
  manifest: Manifest,
  summary: string,
  facts: { readonly weights: number; readonly tiles: number; readonly data: string; readonly command: string },
  lifetime: Lifetime,
): string => {
  const { digital, analog, device, seeds } = lifetime;
  const names = Object.keys(digital.numbers);
  return [
    `# ${manifest.name} ${manifest.version}`,
    "",
    summary.trim(),
    "",
    `- **Input**: ${manifest.input.shape.join(" × ")} int8, ${manifest.input.features.kind}${manifest.modality === "image" ? "" : `, ${manifest.input.sampleRateHz} Hz`}`,
    `- **Labels**: ${manifest.labels.join(", ")}`,
    `- **Size**: ${facts.weights} weights on ${facts.tiles} tiles of at most ${manifest.mapping.tileInputs} × ${manifest.mapping.tileOutputs} pairs, DAC ${manifest.mapping.dacBits} bits, ADC ${manifest.mapping.adcBits} bits`,
    `- **Made by**: \`${manifest.training.command}\`, seed ${manifest.training.seed}`,
    `- **Measured on**: ${facts.data}, by \`${facts.command}\``,
    "",
    "## Digital",
    "",
    `| ${names.join(" | ")} |`,
    `|${names.map(() => "---").join("|")}|`,
    `| ${names.map((n) => show(n, digital.numbers[n]!)).join(" | ")} |`,
    "",
    ...confusion(manifest, lifetime),
    `## Analog: ${device}, ${seeds} chips`,
    "",
    `| age | compensation | ${names[0]}: mean ± std (worst) | ${names.slice(1, 7).join(" | ")} |`,
    `|---|---|---|${names
      .slice(1, 7)
      .map(() => "---|")
      .join("")}`,
    ...analog.map((row) => agedRow(row, names)),
    "",
  ].join("\n");
};

const agedRow = (row: AgedFigures, names: readonly string[]): string => {
  const first = `${percent(row.mean)} ± ${(100 * row.std).toFixed(2)} (${percent(row.worst)})`;
  const rest = names.slice(1, 7).map((n) => (row.figures[n] ? show(n, row.figures[n].mean) : "–"));
  return `| ${row.age} | ${row.compensation} | ${first} | ${rest.join(" | ")} |`;
};

const confusion = (manifest: Manifest, { digital }: Lifetime): string[] => {
  if (digital.detail === undefined) return [];
  return [
    "Rows are the truth, columns the answers.",
    "",
    `| | ${manifest.labels.join(" | ")} |`,
    `|---|${manifest.labels.map(() => "---:|").join("")}`,
    ...digital.detail.confusion.map((row, i) => `| **${manifest.labels[i]}** | ${row.join(" | ")} |`),
    "",
  ];
};
