/** Ink, paper and lines of every drawing. */
export const ink = {
  paper: "#fbfaf7",
  text: "#22262b",
  faint: "#767c84",
  line: "#c9c7c0",
  hair: "#e6e4dd",
  accent: "#b3541e",
  cool: "#2f5f9e",
} as const;

/** Text for use between tags. */
export const escapeXml = (text: string): string => text.replace(/[<>&"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A number of a drawing, to a hundredth. */
export const at = (x: number): string => String(Math.round(x * 100) / 100);

/** A line of text with its baseline at (x, y). */
export const textAt = (
  x: number,
  y: number,
  text: string,
  { size = 12, fill = ink.text as string, anchor = "start", weight = "400" } = {},
): string =>
  `<text x="${at(x)}" y="${at(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}" font-weight="${weight}">${escapeXml(text)}</text>`;

/** A filled rectangle. */
export const box = (x: number, y: number, width: number, height: number, fill: string, more = ""): string =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" fill="${fill}"${more && ` ${more}`}/>`;

/** A straight line. */
export const line = (x1: number, y1: number, x2: number, y2: number, stroke: string, width = 1): string =>
  `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" stroke="${stroke}" stroke-width="${width}"/>`;

/** A whole drawing. */
export const svgDocument = (width: number, height: number, title: string, parts: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 ${at(width)} ${at(height)}" width="${at(width)}" height="${at(height)}" font-family="Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif">`,
    `<title>${escapeXml(title)}</title>`,
    box(0, 0, width, height, ink.paper),
    ...parts,
    "</svg>",
    "",
  ].join("\n");
