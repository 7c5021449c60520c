/** Keeps the last lines of a log, for whoever asks afterwards. */
export class RecentLines {
  readonly #limit: number;
  readonly #lines: string[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Keep a line; the oldest goes. Can be passed on as it is. */
  readonly add = (line: string): void => {
    this.#lines.push(line);
    if (this.#lines.length > this.#limit) this.#lines.shift();
  };

  /** The lines kept, oldest first. Can be passed on as it is. */
  readonly lines = (): readonly string[] => this.#lines;
}
