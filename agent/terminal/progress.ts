/** A line of progress on stderr, drawn in place; nothing where stderr is no terminal. */
export const progressLine = (
  title: string,
): { update(done: number, all: number, note?: string): void; end(): void } => {
  const live = process.stderr.isTTY === true;
  const width = 24;
  return {
    update(done, all, note = "") {
      if (!live) return;
      const filled = Math.round((width * done) / all);
      const bar = `${"█".repeat(filled)}${"░".repeat(width - filled)}`;
      process.stderr.write(`\r\x1b[2K${title} ${bar} ${done}/${all} ${note}`);
    },
    end() {
      if (live) process.stderr.write("\r\x1b[2K");
    },
  };
};
