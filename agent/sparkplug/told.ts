import { readFileSync, renameSync, writeFileSync } from "node:fs";

/**
 * Up to which event time, ns since 1970, each alarm was told to the host; in a small file, so that what
 * was not told before a stop is told after it. A file that cannot be read counts as none.
 */
export class Told {
  readonly #path: string;
  readonly #untilNs = new Map<string, bigint>();

  constructor(path: string) {
    this.#path = path;
    try {
      const stored = JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, string>>;
      for (const [alarm, until] of Object.entries(stored)) this.#untilNs.set(alarm, BigInt(until));
    } catch {
      this.#untilNs.clear();
    }
  }

  /** Up to when; undefined for an alarm of which nothing is known. */
  untilNs(alarm: string): bigint | undefined {
    return this.#untilNs.get(alarm);
  }

  /** Note that all up to this time was told. Where the disk refuses, it is told again after a restart. */
  advance(alarm: string, untilNs: bigint): void {
    if ((this.#untilNs.get(alarm) ?? -1n) >= untilNs) return;
    this.#untilNs.set(alarm, untilNs);
    const text = JSON.stringify(Object.fromEntries([...this.#untilNs].map(([key, ns]) => [key, `${ns}`])));
    try {
      writeFileSync(`${this.#path}.next`, text);
      renameSync(`${this.#path}.next`, this.#path);
    } catch {}
  }
}
