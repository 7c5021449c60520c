/** One line of a chart: its points in order. */
export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const colours = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed"];
const box = { left: 64, top: 36, width: 520, height: 240 };

/** A line chart as SVG text, with axes labelled at their ends and a legend. */
export const lineChart = (title: string, xLabel: string, curves: readonly Curve[]): string => {
  const xs = curves.flatMap((c) => c.points.map((p) => p[0]));
  const ys = curves.flatMap((c) => c.points.map((p) => p[1])).filter(Number.isFinite);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const toX = (x: number) => box.left + ((x - x0) / (x1 - x0 || 1)) * box.width;
  const toY = (y: number) => box.top + box.height - ((y - y0) / (y1 - y0 || 1)) * box.height;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((t) => y0 + t * (y1 - y0));
  const lines = curves.map((curve, i) => {
    const path = curve.points.map(([x, y]) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`).join(" ");
    const colour = colours[i % colours.length];
    const at = box.left + 8 + (i % 4) * 130;
    const row = box.top - 12 + Math.floor(i / 4) * 14;
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.8" points="${path}"/>`,
      `<rect x="${at}" y="${row}" width="14" height="3" fill="${colour}"/>`,
      `<text x="${at + 19}" y="${row + 5}">${escapeXml(curve.name)}</text>`,
    ].join("\n");
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 610 320" font-family="sans-serif" font-size="11" fill="#334155">`,
    `<rect width="610" height="320" fill="#ffffff"/>`,
    `<text x="${box.left}" y="15" font-size="13" font-weight="bold">${escapeXml(title)}</text>`,
    ...ticks.map(
      (t) =>
        `<line x1="${box.left}" x2="${box.left + box.width}" y1="${toY(t).toFixed(1)}" y2="${toY(t).toFixed(1)}" stroke="#e2e8f0"/>` +
        `<text x="${box.left - 6}" y="${(toY(t) + 4).toFixed(1)}" text-anchor="end">${t.toPrecision(3)}</text>`,
    ),
    ...lines,
    `<text x="${box.left}" y="${box.top + box.height + 18}">${x0}</text>`,
    `<text x="${box.left + box.width}" y="${box.top + box.height + 18}" text-anchor="end">${x1}</text>`,
    `<text x="${box.left + box.width / 2}" y="${box.top + box.height + 18}" text-anchor="middle">${escapeXml(xLabel)}</text>`,
    "</svg>",
    "",
  ].join("\n");
};

const escapeXml = (text: string): string => text.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);
