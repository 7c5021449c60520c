/** A part of one, in percent. */
export const percent = (part: number, digits = 1): string => `${(100 * part).toFixed(digits)} %`;

/** A table in Markdown, numbers to the right, and an empty line. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${head.join(" | ")} |`,
  `|${head.map(() => "---|").join("")}`,
  ...rows.map((row) => `| ${row.join(" | ")} |`),
  "",
];
