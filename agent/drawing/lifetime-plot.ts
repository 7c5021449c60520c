import { at, ink, line, svgDocument, textAt } from "./svg.ts";

/** One policy on one device: a figure by age. */
export interface LifeCurve {
  readonly name: string;
  readonly points: readonly { readonly ageSeconds: number; readonly figure: number }[];
}

/** Curves of one device, side by side with those of others. */
export interface LifePanel {
  readonly title: string;
  readonly curves: readonly LifeCurve[];
}

const colours = ["#b3541e", "#2f5f9e", "#2e7d4f"];
const plot = { width: 300, height: 190, left: 52, top: 62, gap: 62 };
/** Ages that the axis names. */
const named: readonly [seconds: number, name: string][] = [
  [60, "new"],
  [86_400, "1 d"],
  [30 * 86_400, "30 d"],
  [365 * 86_400, "1 y"],
  [3650 * 86_400, "10 y"],
];
const [first, last] = [Math.log(60), Math.log(3650 * 86_400)];

/** Figures over ten years, log time, one panel a device; a chip that is new stands at a minute. */
export const lifetimePlot = (title: string, figure: string, panels: readonly LifePanel[]): string => {
  const figures = panels.flatMap(({ curves }) => curves.flatMap(({ points }) => points.map((p) => p.figure)));
  const [low, high] = rangeOf(figures);
  const toY = (value: number): number => plot.top + plot.height * (1 - (value - low) / (high - low));
  const width = plot.left + panels.length * (plot.width + plot.gap);
  const parts = panels.flatMap((panel, p) => {
    const left = plot.left + p * (plot.width + plot.gap);
    const toX = (seconds: number): number =>
      left + (plot.width * (Math.log(Math.max(60, seconds)) - first)) / (last - first);
    const rules = [0, 0.25, 0.5, 0.75, 1].map((part) => low + part * (high - low));
    return [
      textAt(left, plot.top - 10, panel.title, { weight: "600" }),
      ...rules.flatMap((value) => [
        line(left, toY(value), left + plot.width, toY(value), ink.hair),
        textAt(left - 6, toY(value) + 4, (100 * value).toFixed(1), { size: 10, fill: ink.faint, anchor: "end" }),
      ]),
      ...named.flatMap(([seconds, name]) => [
        line(toX(seconds), plot.top, toX(seconds), plot.top + plot.height, ink.hair),
        textAt(toX(seconds), plot.top + plot.height + 16, name, { size: 10, fill: ink.faint, anchor: "middle" }),
      ]),
      ...panel.curves.map(({ points }, c) => {
        const path = points.map(({ ageSeconds, figure: value }) => `${at(toX(ageSeconds))},${at(toY(value))}`);
        const dots = points.map(
          ({ ageSeconds, figure: value }) =>
            `<circle cx="${at(toX(ageSeconds))}" cy="${at(toY(value))}" r="2.4" fill="${colours[c]}"/>`,
        );
        return `<polyline fill="none" stroke="${colours[c]}" stroke-width="1.8" points="${path.join(" ")}"/>${dots.join("")}`;
      }),
    ];
  });
  const legend = (panels[0]?.curves ?? []).flatMap(({ name }, c) => {
    const x = plot.left + c * 190;
    return [
      line(x, plot.top + plot.height + 38, x + 18, plot.top + plot.height + 38, colours[c]!, 2),
      textAt(x + 24, plot.top + plot.height + 42, name, { size: 11 }),
    ];
  });
  return svgDocument(width, plot.top + plot.height + 56, title, [
    textAt(plot.left - 40, 24, `${title}: ${figure}, %, over ten years`, { size: 14, weight: "600" }),
    ...parts,
    ...legend,
  ]);
};

/** Bounds to draw figures between: a little beyond them, at least two points apart. */
const rangeOf = (figures: readonly number[]): [low: number, high: number] => {
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  const span = Math.max(0.02, 1.1 * (most - least));
  const high = Math.min(1, most + 0.002);
  return [high - span, high];
};
