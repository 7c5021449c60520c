/** A table in Markdown, numbers to the right, and an empty line. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${head.join(" | ")} |`,
  `|${head.map(() => "---|").join("")}`,
  ...rows.map((row) => `| ${row.join(" | ")} |`),
  "",
];
