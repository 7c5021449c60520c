import type { Manifest } from "../../models/manifest.ts";
import { hardwareText } from "../chip-hardware.ts";
import { percent } from "../percent.ts";
import { doubtSection, raisedSection, rulesLine } from "./card-sections.ts";
import type { AgedFigures, Lifetime } from "./lifetime.ts";
import { table } from "./markdown.ts";
import type { ClassifierMetrics } from "./metrics.ts";

/** Rates are parts of one; FAR and MAR come in percent already. */
const show = (name: string, v: number): string => (name.endsWith("Percent") ? `${v.toFixed(1)} %` : percent(v));

/** A part of the recordings, and figures on it of a net trained without it. */
interface LeftOut {
  readonly leftOut: readonly (string | number)[];
  readonly samples: number;
  readonly digital: Readonly<Record<string, number>>;
  readonly analog: readonly AgedFigures[];
}

/** The model card, in Markdown: what it is, how it was made, what it reaches. Written by the command that measured it. */
export const modelCard = (
  manifest: Manifest,
  summary: string,
  facts: { readonly weights: number; readonly tiles: number; readonly data: string; readonly command: string },
  measured: {
    readonly lifetime: Lifetime;
    readonly folds: readonly LeftOut[];
    readonly doubt: Parameters<typeof doubtSection>[0];
    readonly raised: Parameters<typeof raisedSection>[0];
  },
): string => {
  const { lifetime, folds } = measured;
  const { digital, analog, seeds } = lifetime;
  const { hardware } = manifest.mapping;
  const chips = hardwareText(hardware ? { hardware } : {});
  const names = Object.keys(digital.numbers);
  const devices = [...new Set(analog.map(({ device }) => device))];
  return [
    `# ${manifest.name} ${manifest.version}`,
    "",
    summary.trim(),
    "",
    `- **Input**: ${manifest.input.shape.join(" × ")} int8, ${manifest.input.features.kind}${["image", "vectors"].includes(manifest.modality) ? "" : `, ${manifest.input.sampleRateHz} Hz`}`,
    `- **Labels**: ${manifest.labels.join(", ")}`,
    ...rulesLine(manifest.decisions),
    `- **Size**: ${facts.weights} weights on ${facts.tiles} tiles of at most ${manifest.mapping.tileInputs} × ${manifest.mapping.tileOutputs} pairs, DAC ${manifest.mapping.dacBits} bits, ADC ${manifest.mapping.adcBits} bits${chips && `; ${chips}`}`,
    `- **Made by**: \`${manifest.training.command}\`, seed ${manifest.training.seed}`,
    `- **Measured on**: ${facts.data}, by \`${facts.command}\``,
    "",
    "## Digital",
    "",
    ...table(names, [names.map((n) => show(n, digital.numbers[n]!))]),
    ...confusion(manifest, lifetime),
    ...byRecord(manifest, digital.detail?.byGroup),
    ...leftOutParts(folds, names),
    ...devices.flatMap((device) => [
      `## Analog: ${device}, ${seeds} chips`,
      "",
      ...table(
        ["age", "compensation", `${names[0]}: mean ± std (worst)`, ...names.slice(1, 7)],
        analog.filter((row) => row.device === device).map((row) => agedRow(row, names)),
      ),
    ]),
    `![${names[0]} over age](ages.svg)`,
    "",
    ...doubtSection(measured.doubt),
    ...raisedSection(measured.raised),
  ].join("\n");
};

const agedRow = (row: AgedFigures, names: readonly string[]): string[] => [
  row.age,
  row.compensation,
  spreadOf(row),
  ...names.slice(1, 7).map((n) => (row.figures[n] ? show(n, row.figures[n].mean) : "–")),
];

const spreadOf = ({ mean, std, worst }: AgedFigures): string =>
  `${percent(mean)} ± ${(100 * std).toFixed(2)} (${percent(worst)})`;

const confusion = (manifest: Manifest, { digital }: Lifetime): string[] => {
  if (digital.detail === undefined) return [];
  return [
    "Rows are the truth, columns the answers.",
    "",
    ...table(
      ["", ...manifest.labels],
      digital.detail.confusion.map((row, i) => [`**${manifest.labels[i]}**`, ...row.map(String)]),
    ),
  ];
};

/** A row for each recording, with the figures of the classes that it has. */
const byRecord = (manifest: Manifest, groups: Readonly<Record<string, ClassifierMetrics>> = {}): string[] => {
  const rows = Object.entries(groups).map(([record, { samples, accuracy, classes }]) => [
    record,
    `${samples}`,
    percent(accuracy),
    ...classes.map(({ events, sensitivity: se, positivePredictivity: p }) =>
      events === 0 ? "–" : `${events}: ${percent(se ?? 0)} / ${p === null ? "–" : percent(p)}`,
    ),
  ]);
  if (rows.length === 0) return [];
  const head = ["recording", "samples", "accuracy", ...manifest.labels.map((label) => `${label}: Se / +P`)];
  return [
    "By recording; of each class how many there are, sensitivity and positive predictivity.",
    "",
    ...table(head, rows),
  ];
};

/** Parts left out of training in turn: no setting was chosen by the test recordings. */
const leftOutParts = (folds: readonly LeftOut[], names: readonly string[]): string[] => {
  if (folds.length === 0) return [];
  const shown = names.slice(1, 7);
  const devices = folds[0]!.analog.map(({ device, age }) => `${device}, ${age}`);
  return [
    "## Left out of training in turn",
    "",
    "The same recipe, trained without a part of the recordings and tested on it.",
    "",
    ...table(
      ["left out", "samples", `${names[0]}, digital`, ...shown, ...devices],
      folds.map(({ leftOut, samples, digital, analog }) => [
        leftOut.join(", "),
        `${samples}`,
        percent(digital[names[0]!]!),
        ...shown.map((n) => (digital[n] === undefined ? "–" : show(n, digital[n]))),
        ...analog.map(spreadOf),
      ]),
    ),
  ];
};
