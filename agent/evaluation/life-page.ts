import { withUnit } from "../inspection/units.ts";
import { percent } from "../percent.ts";
import type { Life } from "./long-life.ts";
import type { StuckReport } from "./stuck-devices.ts";

/** Ten years of one model on one device. */
export interface LifeReport {
  readonly model: string;
  readonly device: string;
  readonly data: string;
  readonly samples: number;
  /** Name of the figure: accuracy or f1. */
  readonly figure: string;
  readonly digital: number;
  readonly inferencesPerSecond: number;
  readonly lives: readonly { readonly policy: string; readonly lives: readonly Life[] }[];
  readonly stuck?: StuckReport & { readonly rate: number };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Means over the chips at each age. */
const figuresOf = (lives: readonly Life[]): readonly number[] =>
  lives[0]!.rows.map((_, r) => mean(lives.map(({ rows }) => rows[r]!.figure)));

/** The loss of those at the worst age of any, points. */
const mostLost = (lives: readonly Life[]): number => {
  const figures = figuresOf(lives);
  return 100 * Math.max(...figures.map((figure) => figures[0]! - figure));
};

/** Energy of upkeep as a part of that of inferences. */
const shareOf = ({ inferencesPerSecond }: LifeReport, lives: readonly Life[]): number => {
  const seconds = lives[0]!.rows.at(-1)!.ageSeconds;
  return mean(lives.map((life) => life.joules / (life.inferenceJoules * inferencesPerSecond * seconds)));
};

/** One line of the table: means over the chips. */
const rowOf = (report: LifeReport, policy: string, lives: readonly Life[]): readonly string[] => {
  const share = shareOf(report, lives);
  const kinds = [...new Set(lives.flatMap(({ steps }) => Object.keys(steps)))].map((kind) => {
    const count = mean(lives.map(({ steps }) => steps[kind] ?? 0));
    return `${Number(count.toFixed(1))} ${kind}`;
  });
  return [
    policy,
    ...figuresOf(lives).map((figure) => percent(figure)),
    mostLost(lives).toFixed(2),
    Math.round(mean(lives.map(({ reads }) => reads))).toLocaleString("en-GB"),
    Math.round(mean(lives.map(({ pulses }) => pulses))).toLocaleString("en-GB"),
    String(Math.max(...lives.map(({ mostPulses }) => mostPulses))),
    withUnit(mean(lives.map(({ joules }) => joules)), "J"),
    share === 0 ? "0" : percent(share, 4),
    kinds.join(", ") || "–",
  ];
};

const head = [
  ...["policy", "new", "1 d", "30 d", "1 y", "10 y", "most lost, points"],
  ...["reads", "pulses", "most pulses", "energy", "of inference", "steps"],
];

const tableOf = (report: LifeReport): string =>
  [
    `| ${head.join(" | ")} |`,
    `|${head.map((_, i) => (i === 0 || i === head.length - 1 ? "---" : "---:")).join("|")}|`,
    ...report.lives.map(({ policy, lives }) => `| ${rowOf(report, policy, lives).join(" | ")} |`),
  ].join("\n");

const stuckSentence = ({ stuck, figure }: LifeReport): string =>
  stuck === undefined
    ? ""
    : `${percent(stuck.rate)} of the devices stuck at random: ${stuck.stuck}, of which ${stuck.matter} are off by a tenth of the range or more; self-test found ${percent(stuck.found)} of these and blamed ${stuck.blamed} others. ${figure}: ${percent(stuck.whole, 2)} without faults, ${percent(stuck.broken, 2)} with them, ${percent(stuck.mended, 2)} after self-test.`;

/** What each policy loses at most, and what the last one takes, of all pairs of model and device. */
const overviewOf = (reports: readonly LifeReport[]): string => {
  const policies = reports[0]?.lives.map(({ policy }) => policy) ?? [];
  const rows = reports.map((report) => {
    const losses = report.lives.map(({ lives }) => mostLost(lives).toFixed(2));
    const share = percent(shareOf(report, report.lives.at(-1)!.lives), 4);
    return `| ${[report.model, report.device, report.figure, ...losses, share].join(" | ")} |`;
  });
  const titles = ["model", "device", "figure", ...policies, `energy of ${policies.at(-1)}, of inference`];
  return [`| ${titles.join(" | ")} |`, `|---|---|---|${"---:|".repeat(policies.length + 1)}`, ...rows].join("\n");
};

/** How many pairs of model and device the last policy keeps within a point, and the most that it takes. */
const kept = (reports: readonly LifeReport[]): string => {
  const last = reports.map((report) => ({ report, ...report.lives.at(-1)! }));
  const within = last.filter(({ lives }) => mostLost(lives) <= 1 + 1e-9).length;
  const most = Math.max(...last.map(({ report, lives }) => shareOf(report, lives)));
  return `With ${last[0]?.policy} ${within} of ${last.length} stay within 1.0 point of the new chip for ten years; it takes at most ${percent(most, 2)} of the energy of inferences. Wanted: all of them, and less than 1 %.`;
};

/** The report as text for a terminal, or as the page of the documents. */
export const lifePage = (reports: readonly LifeReport[], form: "text" | "page"): string => {
  const models = [...new Set(reports.map(({ model }) => model))];
  const sections = models.flatMap((model) => {
    const mine = reports.filter((report) => report.model === model);
    const [first] = mine as [LifeReport];
    return [
      `## ${model}`,
      `${first.data}; ${first.samples} samples, ${first.lives[0]?.lives.length} chips. Digital: ${first.figure} ${percent(first.digital)}.`,
      ...(form === "page" ? [`![${model} over ten years](lifetime-${model}.svg)`] : []),
      ...mine.flatMap((report) => [`**${report.device}**`, tableOf(report), stuckSentence(report)]),
    ];
  });
  if (form === "text") return sections.filter((part) => part !== "").join("\n\n");
  const overview = ["Most lost in ten years, points of the figure:", overviewOf(reports), kept(reports)];
  return [intro, ...overview, ...sections.filter((part) => part !== ""), ""].join("\n\n");
};

const intro = `# Ten years of chips

Made by \`ohmwatch lifetime --data DIR --model MODEL --samples 400 --seeds CHIPS --json\`, model by model, and
\`ohmwatch lifetime --from FILE --out docs\`. Each model lives for ten years on simulated chips of each device, at 25 °C, seeds
1 … CHIPS. Time is simulated; what is due is done when it is due. So few samples and chips show what upkeep is for, not
tenths of a point: one sample in 400 is 0.25 points.

- **no upkeep**: the chip ages, α stays 1
- **global compensation**: drift is measured by one-hot reads and given back by one factor a tile, whenever the age has
  grown by a tenth and at least every 30 days
- **full policy**: what \`chip.upkeep.policy: full\` does ([operations](operations.md#chip)), 30 days between calibrations at
  most, with up to 256 inputs and 512 margins out of the same recordings to judge by, as many of the inputs as the
  inferences since the last look pay for

Figures are means over the chips; "most lost" is the largest loss against the new chip at one of the ages. Reads are
products of single tiles; energy is theirs by \`models/energy\` and that of pulses by the device. "Of inference" is that
energy as a part of what ten years of inferences take, one a hop of the model's window (1.2 a second for beats, one for
pictures). Ages between which a figure moves by less than the spread of so many samples tell nothing.`;
